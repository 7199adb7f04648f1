"""Limits and settings of a transcoding, by the configuration, and the hash of what is equal by them."""

import hashlib
import json
from dataclasses import asdict, replace

from appservice import __version__
from appservice.config import Config
from appservice.core.model import Kind
from transcode import Limits, Settings


def limits_of(config: Config, max_length: int | None = None) -> Limits:
    """Return what one transcoding may take, by the configuration and the room's own `max_length` in seconds."""
    limits = Limits(max_duration=min(config.media.max_duration, max_length or config.media.max_duration))
    return replace(limits, threads=config.transcode.threads) if config.transcode.threads else limits


def settings_of(config: Config, encoder: str) -> Settings:
    """Return how renditions are made, by the configuration; `encoder` was found to work."""
    chosen = config.transcode
    return Settings(rungs=chosen.rungs, preset=chosen.preset, encoder=encoder, copy=chosen.copy_source)


def content_hash(
    digest: bytes, settings: Settings, config: Config, kind: Kind = Kind.VIDEO, seconds: float | None = None
) -> bytes:
    """Return what is equal when the same bytes (their SHA-256) are judged, shown and transcoded in the same way."""
    way = [__version__, config.media.max_duration, asdict(settings), kind, seconds]
    return hashlib.sha256(digest + json.dumps(way, sort_keys=True).encode()).digest()
