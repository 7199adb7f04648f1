"""A newcomer's way: `init`, a Synapse with its registration, `check`, `serve`, and a video plays, encrypted as well."""

from pathlib import Path

import aiohttp
import yaml

from appservice.demo.synapse import Synapse, free_port
from tests.support.command_line import findings, roomreel
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.playing import fetch_all
from tests.support.rooms import make_room


async def test_from_nothing_to_a_video_that_plays(tmp_path: Path, http: aiohttp.ClientSession, clip: Path) -> None:
    port, metrics_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    file, registration = tmp_path / "config.yaml", tmp_path / "registration.yaml"
    synapse = Synapse(tmp_path / "synapse", registrations=[registration])
    code, said, errors = await roomreel(
        "init", "-c", file, "--server-name", synapse.server_name, "--homeserver-url", synapse.base_url,
        "--public-url", url, "--appservice-url", url,
        env={"ROOMREEL_WEB__PORT": str(port)},
    )  # fmt: skip
    assert (code, errors) == (0, "")
    assert f"hand {url} on to port {port}" in said
    # The ports of tests are no one's choice but theirs.
    text = (
        file.read_text().replace("  port: 8470", f"  port: {port}").replace("  port: 8471", f"  port: {metrics_port}")
    )
    file.write_text(text)
    installation = Installation(tmp_path, synapse, yaml.safe_load(text), launch=fork)
    async with synapse, await synapse.user("newcomer") as owner:
        for _ in range(2):
            code, found = await findings(installation)
            assert code == 0, found
            bad = {part: how for part, how in found.items() if how[0] != "ok"}
            assert set(bad) <= {"encryption"}, bad  # until the bot has its device
            if installation.process is None:
                assert "the first `roomreel serve` makes" in found["homeserver"][1]
                await installation.start()
        try:
            room_id = await make_room(owner, installation)
            viewer = await installation.viewer(http, owner, room_id)
            video = await viewer.video_in(await owner.send_video(room_id, clip), "ready", seconds=120)
            assert await fetch_all(viewer, video) > 2
        finally:
            await installation.stop()
