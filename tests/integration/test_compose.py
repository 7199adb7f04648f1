"""The steps of deploy/compose, done by hand where there is no engine: from nothing to a video that plays."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import asyncpg
import pytest
import yaml

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import die_with_parent, free_port
from tests.support.databases import CreateDatabase
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
NAME = "chat.example"


def _services(variables: Mapping[str, str]) -> dict[str, Any]:
    written = (COMPOSE / "docker-compose.yaml").read_text()
    services: dict[str, Any] = yaml.safe_load(
        re.sub(r"\$\{(\w+)(?::\?[^}]*)?}", lambda match: variables[match[1]], written)
    )["services"]
    return services


class Steps:
    """What the containers would be, as processes; `folder` has their volumes."""

    def __init__(self, folder: Path, postgres: str) -> None:
        self.folder, self.postgres = folder, urlsplit(postgres)
        self.synapse, self.roomreel = folder / "synapse", folder / "roomreel"
        self.ports = {"synapse": free_port(), "roomreel": free_port(), "metrics": free_port()}
        self.url = f"http://127.0.0.1:{self.ports['roomreel']}"
        self.homeserver = f"http://127.0.0.1:{self.ports['synapse']}"
        for each in (self.synapse, self.roomreel, folder / "bin"):
            each.mkdir()
        (folder / "bin" / "roomreel").symlink_to(Path(sys.executable).with_name("roomreel"))
        services = _services({
            "SERVER_NAME": NAME, "PUBLIC_URL": self.url, "ADMIN": f"@admin:{NAME}",
            "POSTGRES_PASSWORD": self.postgres.password or "",
        })  # fmt: skip
        self.environment: dict[str, str] = {
            **services["roomreel"]["environment"],
            # What the names of services stand for here, and what the image sets.
            "ROOMREEL_HOMESERVER__URL": self.homeserver,
            "ROOMREEL_APPSERVICE__URL": self.url,
            "ROOMREEL_DATABASE": postgres,
            "ROOMREEL_WEB__PORT": str(self.ports["roomreel"]),
            "ROOMREEL_METRICS__PORT": str(self.ports["metrics"]),
            "ROOMREEL_DATA_DIR": str(self.roomreel),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        self.command: Sequence[str] = services["synapse"]["command"]
        assert services["roomreel"]["command"] == ["serve", "-c", "/data/config.yaml"]
        assert services["migrate"]["command"] == ["migrate", "-c", "/data/config.yaml"]

    async def run(self, *command: str | Path, **env: str) -> tuple[int, str]:
        """Run a command to its end, and return its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env={**os.environ, **self.environment, **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(120):
            output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def start(self, command: str) -> tuple[int, str]:
        """Run the container of Roomreel with a command of the file."""
        return await self.run(ROOT / "deploy" / "container-start.sh", command, "-c", self.roomreel / "config.yaml")

    @contextlib.asynccontextmanager
    async def running(self, *command: str | Path, ready: str, **env: str) -> AsyncIterator[None]:
        """Run a command until the context ends."""
        log = self.folder / f"{Path(command[0]).name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *die_with_parent(), *command, cwd=self.folder, env={**os.environ, **self.environment, **env},
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

        async def responds() -> bool:
            assert process.returncode is None, log.read_text()[-3000:]
            with contextlib.suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as http, http.get(ready) as response:
                    return response.status == 200
            return False

        try:
            await eventually(responds, what=f"{ready} (see {log})")
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    def configure_synapse(self) -> list[str]:
        """Return Synapse's command line: what the file says, with the folders and addresses of here."""
        more = yaml.safe_load((COMPOSE / "synapse.yaml").read_text())
        more["app_service_config_files"] = [
            path.replace("/roomreel/", f"{self.roomreel}/") for path in more["app_service_config_files"]
        ]
        more["listeners"][0] |= {"port": self.ports["synapse"], "bind_addresses": ["127.0.0.1"]}
        more["database"]["args"] |= {
            "user": self.postgres.username, "host": self.postgres.hostname or parse_qs(self.postgres.query)["host"][0],
        }  # fmt: skip
        (self.folder / "roomreel.yaml").write_text(yaml.safe_dump(more | {"trusted_key_servers": []}))
        paths = {"/data/": f"{self.synapse}/", "/roomreel.yaml": str(self.folder / "roomreel.yaml")}
        words = list(self.command[1:])
        for old, new in paths.items():
            words = [word.replace(f"={old}", f"={new}") for word in words]
        return words


@pytest.mark.timeout(300)
async def test_each_step_leads_to_the_next(
    postgres: str, create_database: CreateDatabase, http: aiohttp.ClientSession, clip: Path, tmp_path: Path
) -> None:
    database = await create_database("compose")
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute("DROP DATABASE IF EXISTS synapse WITH (FORCE)")
        # As POSTGRES_INITDB_ARGS have it for the whole server.
        for line in (COMPOSE / "databases.sql").read_text().splitlines():
            if line.startswith("CREATE DATABASE"):
                locale = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
                await connection.execute(f"{line.rstrip(';')} {locale}")
    finally:
        await connection.close()
    steps = Steps(tmp_path, database)
    homeserver = (sys.executable, "-m", "synapse.app.homeserver")

    code, printed = await steps.run(
        *homeserver, "--server-name", NAME, "--report-stats", "no", "--generate-config", "--open-private-ports",
        "--config-path", steps.synapse / "homeserver.yaml",
        "--config-directory", steps.synapse, "--data-directory", steps.synapse,
    )  # fmt: skip
    assert code == 0, printed
    code, printed = await steps.start("serve")
    assert code == 3, printed
    assert "registration.yaml" in printed
    assert f"@reel:{NAME}" in printed
    code, printed = await steps.start("migrate")
    assert code == 0, printed
    async with (
        steps.running(
            *homeserver, *steps.configure_synapse(), ready=f"{steps.homeserver}/health",
            PGPASSWORD=steps.postgres.password or "",
        ),
        steps.running(
            ROOT / "deploy" / "container-start.sh", "serve", "-c", steps.roomreel / "config.yaml",
            ready=f"{steps.url}/ready",
        ),
    ):  # fmt: skip
        code, printed = await steps.run("roomreel", "check", "-c", steps.roomreel / "config.yaml")
        assert code == 0, printed
        code, printed = await steps.run(
            Path(sys.executable).with_name("register_new_matrix_user"), "-c", steps.synapse / "homeserver.yaml",
            "-a", "-u", "admin", "-p", "secret", steps.homeserver,
        )  # fmt: skip
        assert code == 0, printed
        await _watch(steps, http, clip)


async def _watch(steps: Steps, http: aiohttp.ClientSession, clip: Path) -> None:
    """Log in, invite the bot, send a video, and have it played."""
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "admin"}, "password": "secret"}
    async with http.post(f"{steps.homeserver}/_matrix/client/v3/login", json=login) as response:
        session = await response.json()
    async with MatrixClient(steps.homeserver, session["access_token"], session["user_id"]) as admin:
        bot = f"@reel:{NAME}"
        room_id = await admin.create_room(invite=[bot], user_levels={bot: 50})

        async def joined() -> bool:
            return bot in await admin.joined_members(room_id)

        await eventually(joined, what="the bot in the room")
        event_id = await admin.send_video(room_id, clip)
        body = {"openid_token": await admin.openid_token(), "room_id": room_id}
        async with http.post(f"{steps.url}/api/v1/session", json=body) as response:
            token = (await response.json())["token"]
        viewer = Viewer(steps.url, http, room_id, token)
        await viewer.video_in(event_id, "ready")
