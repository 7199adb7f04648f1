"""Requests a detection service's verdict on each video before anybody sees it: images and hash out, a verdict in."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from appservice.config import BlockIn, Webhook
from appservice.core.errors import NotFoundError
from appservice.core.model import RoomId, Video, VideoId
from appservice.core.text.clean import MAX_REASON, clean_text
from appservice.matrix.discovery import read_limited
from appservice.media.storage import MediaStore
from appservice.media.stored import decrypted_file, plain_file, read_all
from appservice.service.media_keys import MediaKeys
from appservice.service.sealed_contents import SealedContents
from appservice.store import BlockStore, Unjudged, Verdict, VerdictStore
from transcode.hls.playlist import POSTER, STORYBOARD

log = structlog.get_logger()

SIGNATURE = "X-Roomreel-Signature"
"""The header with `sha256=` and the HMAC-SHA256 of the body in hexadecimal, by the configured secret."""
_MOST_RESPONSE = 64 * 1024
_RETRY_AFTER_S = (1.0, 5.0)


class NoVerdictError(Exception):
    """The service did not respond as it should; the text says how."""


@dataclass(frozen=True)
class VerdictWork:
    """Requests verdicts; one instance for a process. Without a webhook nothing has to wait."""

    webhook: Webhook | None
    store: VerdictStore
    blocks: BlockStore
    session: aiohttp.ClientSession
    files: MediaStore
    media_keys: MediaKeys
    contents: SealedContents

    async def run(self, video_id: VideoId) -> None:
        """Request a verdict on a video and do what it says, or what the configuration says where there is none."""
        if self.webhook is None:
            # A job of when a service was configured. Nobody judged it: another service may judge it later.
            await self.recover()
            return
        unjudged = await self.store.unjudged(video_id)
        if unjudged is None:
            return
        failed = None
        try:
            verdict, reason = await self._request(self.webhook, unjudged)
        except NoVerdictError as error:
            verdict, reason, failed = Verdict(self.webhook.on_failure), "", str(error)
        everywhere = self.webhook.block is BlockIn.SERVER
        room_id = None if everywhere else unjudged.video.room_id
        if verdict is Verdict.BLOCK:
            await self.contents.reveal(unjudged.video, room_id)
        done = await self.store.judge(unjudged.video, verdict, reason, everywhere=everywhere, failed=failed)
        if done and verdict is Verdict.BLOCK:
            await self._take_late(unjudged.video, room_id)
        log.info("video_judged", video_id=video_id, verdict=verdict, reason=reason, failed=failed, in_time=done)

    async def _take_late(self, video: Video, room_id: RoomId | None) -> None:
        """Remove copies, in a room or in all, that came while a video was blocked."""
        revealed = await self.contents.reveal(video, room_id)
        if revealed and room_id:
            await self.blocks.take_copies(room_id, revealed.source_hash)
        elif revealed:
            await self.blocks.take_everywhere(revealed.source_hash)

    async def recover(self) -> None:
        """Request verdicts that were lost, or release the videos where no service is configured any more."""
        if self.webhook is not None:
            await self.store.requeue_unjudged()
        elif released := await self.store.release_all():
            log.warning("released_without_verdict", videos=released)

    async def _request(self, webhook: Webhook, unjudged: Unjudged) -> tuple[Verdict, str]:
        try:
            key = await self.media_keys.key_of_served(unjudged.video)
        except NotFoundError as error:
            raise NoVerdictError("its images cannot be decrypted") from error
        content = await self.contents.of(unjudged.video)
        sha256 = content.source_hash.hex() if content else unjudged.sha256
        images = await self._images(unjudged.video)
        body = await asyncio.to_thread(_request_body, unjudged.video, sha256, images, key)
        for delay in (*_RETRY_AFTER_S, None):
            try:
                return await self._post(webhook, body)
            except NoVerdictError as error:
                log.warning("no_verdict", video_id=unjudged.video.id, reason=str(error), retry_seconds=delay)
                if delay is None:
                    raise
                await asyncio.sleep(delay)
        raise AssertionError("The last try returns or raises.")

    async def _post(self, webhook: Webhook, body: bytes) -> tuple[Verdict, str]:
        signature = hmac.new(webhook.secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signature}"}
        try:
            async with self.session.post(
                webhook.url, data=body, headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=webhook.timeout),
            ) as response:  # fmt: skip
                if response.status != 200:
                    raise NoVerdictError(f"it responded with {response.status}")
                return read_verdict(await read_limited(response, _MOST_RESPONSE))
        except ValueError as error:
            raise NoVerdictError(f"its response is longer than {_MOST_RESPONSE} bytes") from error
        except TimeoutError as error:
            raise NoVerdictError(f"it did not respond within {webhook.timeout:g} s") from error
        except aiohttp.ClientError as error:
            raise NoVerdictError(f"it cannot be reached ({error})") from error

    async def _images(self, video: Video) -> dict[str, Path]:
        there = {
            "poster": (POSTER, video.media.has_poster),
            "storyboard": (STORYBOARD, video.media.storyboard is not None),
        }
        return {
            name: await self.files.local(video.id, video.media.stage or "", file)
            for name, (file, exists) in there.items()
            if exists
        }


def _request_body(video: Video, sha256: str | None, images: Mapping[str, Path], key: bytes | None) -> bytes:
    """Return the request's body (blocking), as docs/operators/webhook.md describes it."""
    content = {
        "video_id": video.id, "event_id": video.event_id, "room_id": video.room_id, "sender": video.sender,
        "kind": video.kind, "duration": video.media.duration,
        "width": video.media.width, "height": video.media.height, "sha256": sha256,
        "pictures": [_image(name, path, key) for name, path in images.items()],
    }  # fmt: skip
    return json.dumps(content).encode()


def _image(name: str, path: Path, key: bytes | None) -> dict[str, str]:
    data = read_all(decrypted_file(plain_file(path), key))
    return {"name": name, "media_type": "image/jpeg", "data": base64.b64encode(data).decode()}


def read_verdict(body: bytes) -> tuple[Verdict, str]:
    """Return the verdict of a service's response, and its reason, which may be empty. Raises NoVerdictError."""
    try:
        response = json.loads(body)
    except ValueError as error:
        raise NoVerdictError("its response is not JSON") from error
    verdict = response.get("verdict") if isinstance(response, dict) else None
    if verdict not in list(Verdict):
        raise NoVerdictError("its response has no `verdict` of allow, hold or block")
    return Verdict(verdict), clean_text(response.get("reason"), MAX_REASON) or ""
