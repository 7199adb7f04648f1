"""The storyboard of a video as WebVTT, also for who plays an earlier stage of it."""

from collections.abc import Mapping

from aiohttp import web

from appservice.core.errors import NotFoundError
from appservice.core.model import Video
from transcode.hls.playlist import STORYBOARD
from transcode.storyboard import web_vtt


def storyboard_track(video: Video, stage: str, headers: Mapping[str, str]) -> web.Response:
    """Return a video's storyboard as WebVTT, for who plays `stage`. Raises NotFoundError where there is none."""
    if video.media.storyboard is None or not video.media.duration or not plays_same(video, stage):
        raise NotFoundError("There is no storyboard.")
    sheet = STORYBOARD if stage == video.media.stage else f"../{video.media.stage}/{STORYBOARD}"
    text = web_vtt(video.media.storyboard, video.media.duration, sheet)
    return web.Response(text=text, content_type="text/vtt", charset="utf-8", headers=headers)


def plays_same(video: Video, stage: str) -> bool:
    """Say whether a stage is the one that is served of a video, or an earlier one of the same media."""
    number = stage.partition("-")[0]  # of its attempt
    return stage == video.media.stage or (
        number.isascii() and number.isdecimal() and video.work.attempts_before < int(number) <= video.work.attempts
    )
