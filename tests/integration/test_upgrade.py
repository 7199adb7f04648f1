"""The upgrade from the last release, and the way back: what it made plays, and nobody has to wait."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import aiohttp
import pytest

from appservice.demo.synapse import Synapse
from tests.support.databases import CreateDatabase
from tests.support.installation import Installation
from tests.support.launch import ROOT, Launch, Process, fork
from tests.support.playing import fetch_all
from tests.support.rooms import make_room

_PARTS = ("appservice", "transcode", "migrations", "widget/templates", "widget/locales")


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the last release, with the built assets of today: those are not in the history."""
    folder = tmp_path_factory.mktemp("last-release")
    commit = _git("log", "-1", "--format=%H", "--grep=^release: ").decode().strip()
    assert commit, "the history has no release (a commit `release: …`): `git fetch --unshallow`"
    subprocess.run(["tar", "-x"], input=_git("archive", commit, *_PARTS), cwd=folder, check=True)
    shutil.copytree(ROOT / "widget/dist", folder / "widget/dist")
    return folder


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


def launch_from(folder: Path) -> Launch:
    """Return what starts the release whose sources are in a folder."""

    async def launch(
        *arguments: str, stdout: IO[bytes], stderr: IO[bytes], env: Mapping[str, str] | None = None
    ) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appservice", *arguments, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), **(env or {})},
            stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
        )  # fmt: skip

    return launch


async def test_an_upgrade_and_the_way_back(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path, create_database: CreateDatabase,
    last_release: Path,
) -> None:  # fmt: skip
    old = launch_from(last_release)
    spare.write_config(database=await create_database("upgrade"))
    spare.launch = old
    await spare.start()
    async with await synapse.user("upgrader") as owner:
        room_id = await make_room(owner, spare)
        viewer = await spare.viewer(http, owner, room_id)

        async def send() -> str:
            event_id = await owner.send_video(room_id, clip)
            await viewer.video_in(event_id, "ready", seconds=120)
            return event_id

        async def all_play() -> None:
            for event_id in sent:
                assert await fetch_all(viewer, await viewer.video_in(event_id, "ready")) > 2

        sent = [await send()]
        # Before the deploy: the last release serves on the new schema.
        spare.launch = fork
        code, said = await spare.command("migrate", "-c", str(spare.config), "--phase", "before")
        assert code == 0, said
        sent.append(await send())
        await all_play()
        for launch in (fork, old, fork):
            # The deploy; the way back, as long as nothing was taken away; and the deploy again.
            await spare.stop()
            spare.launch = launch
            await spare.start()
            sent.append(await send())
            await all_play()
        # After it.
        code, said = await spare.command("migrate", "-c", str(spare.config), "--phase", "after")
        assert code == 0, said
        sent.append(await send())
        await all_play()
        assert (await spare.command("migrate", "-c", str(spare.config)))[1] == "The database is up to date.\n"
