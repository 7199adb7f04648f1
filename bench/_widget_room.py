"""Run an installation with videos in a room, and the host page with its widget, for measurements in a browser."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.client import MatrixClient
from appservice.demo.host import host_of, serve_host
from appservice.demo.synapse import Synapse, free_port
from bench._clips import ffmpeg
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from transcode import Tools, find_tools

RATE = 30  # frames per second: half of the display's, so that every frame should be shown equally long


@dataclass(frozen=True)
class WidgetRoom:
    """A room of alice and bob with alice's videos; `host` is the page with the widget."""

    reel: Installation
    alice: MatrixClient
    bob: MatrixClient
    room_id: str
    viewer: Viewer
    host: str

    @property
    def widget(self) -> str:
        """The host page that shows nothing but the widget, for alice."""
        return f"{self.host}?user=alice&layout=widget"


def make_clips(tools: Tools, folder: Path, seconds: Sequence[float]) -> list[Path]:
    """Make videos with a continuous tone."""
    clips = []
    for number, length in enumerate(seconds):
        clip = folder / f"clip-{number}.mp4"
        ffmpeg(
            tools, "-f", "lavfi", "-i", f"testsrc2=size=640x360:rate={RATE}",
            "-f", "lavfi", "-i", f"aevalsrc=0.5*sin(2*PI*{440 + 110 * number}*t):s=48000:c=mono", "-t", str(length),
            "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", clip,
        )  # fmt: skip
        clips.append(clip)
    return clips


@asynccontextmanager
async def widget_room(seconds: Sequence[float], **sections: object) -> AsyncIterator[WidgetRoom]:
    """Start everything in a temporary folder, with a video of alice for each duration; leave nothing.

    `sections` are of the service's configuration.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clips = make_clips(find_tools(), folder, seconds)
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        synapse = Synapse(folder / "synapse")
        reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
        reel.write_config(**sections)
        synapse.registrations = [reel.registration]
        await stack.enter_async_context(synapse)
        await stack.enter_async_context(reel.running())
        alice = await stack.enter_async_context(await synapse.user("alice"))
        bob = await stack.enter_async_context(await synapse.user("bob"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        room_id = await make_room(alice, reel, bob)
        viewer = await reel.viewer(http, alice, room_id)
        for clip in clips:
            await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        about = {
            "homeserver_url": synapse.base_url, "server_name": synapse.server_name, "room_id": room_id,
            "users": [
                {"user_id": user.user_id, "password": "secret", "display_name": name}
                for name, user in (("alice", alice), ("bob", bob))
            ],
        }  # fmt: skip
        port = free_port()
        runner = await serve_host(host_of(about, synapse.base_url, reel.url), port)
        stack.push_async_callback(runner.cleanup)
        yield WidgetRoom(reel, alice, bob, room_id, viewer, f"http://127.0.0.1:{port}/")
