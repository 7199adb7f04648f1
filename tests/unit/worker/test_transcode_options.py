"""What makes two uploads the same."""

from dataclasses import replace
from typing import Any

import pytest

from appservice.config import Config
from appservice.core.model import Kind
from appservice.worker.transcode_options import content_hash, settings_of
from transcode import Settings


def config(**sections: Any) -> Config:  # noqa: ANN401 - each section has its own form
    least: dict[str, Any] = {
        "homeserver": {"url": "http://localhost:8008", "server_name": "example.org"},
        "appservice": {"url": "http://localhost:8470", "as_token": "a" * 20, "hs_token": "h" * 20},
        "web": {"public_url": "https://reel.example.org"},
    }
    return Config.model_validate({**least, **sections})


def test_the_settings_of_a_configuration() -> None:
    assert settings_of(config(), "libx264") == Settings()
    chosen = config(transcode={"rungs": [240, 720], "preset": "fast", "encoder": "h264_nvenc", "copy": False})
    assert settings_of(chosen, "libx264") == Settings((720, 240), "fast", "libx264", copy=False)


@pytest.mark.parametrize(
    "other",
    [Settings(rungs=(720,)), Settings(preset="fast"), Settings(encoder="h264_qsv"), replace(Settings(), copy=False)],
)
def test_other_settings_make_another_content(other: Settings) -> None:
    assert content_hash(b"d" * 32, other, config()) != content_hash(b"d" * 32, Settings(), config())


def test_the_same_content() -> None:
    ours = content_hash(b"d" * 32, Settings(), config())
    assert ours == content_hash(b"d" * 32, Settings(), config(transcode={"threads": 1}))
    assert ours != content_hash(b"e" * 32, Settings(), config())
    assert ours != content_hash(b"d" * 32, Settings(), config(media={"max_duration": 60})), "it may be too long now"
    image = content_hash(b"d" * 32, Settings(), config(), Kind.IMAGE, 6)
    assert len({ours, image, content_hash(b"d" * 32, Settings(), config(), Kind.IMAGE, 3)}) == 3
