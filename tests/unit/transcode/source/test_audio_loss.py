"""What ffmpeg's statistics of decoding mean for the listener."""

import pytest

from transcode.source.audio_loss import AudioLoss, Decoded, decoded

PRINTED = """\
  Metadata:
    title : Input stream #0:1 (audio): 9 packets read (9 bytes); 0 frames decoded; 9 decode errors (0 samples);
[out#0/null @ 0x55] Output stream #0:0 (audio): 142 frames encoded (145408 samples); 142 packets muxed (9 bytes);
[in#0/matroska,webm @ 0x55]   Input stream #0:0 (video): 30 packets read (1 bytes); 30 frames decoded; 0 decode errors;
[in#0/matroska,webm @ 0x55]   Input stream #0:1 (audio): 283 packets read (96 bytes); 142 frames decoded; \
141 decode errors (145408 samples);
[in#0/matroska,webm @ 0x55]   Input stream #0:2 (audio): 2 packets read (96 bytes); 2 frames decoded; \
0 decode errors (2048 samples);
[in#0/matroska,webm @ 0x55]   Total: 283 packets (96288 bytes) demuxed
"""


def test_statistics_of_all_tracks_are_read() -> None:
    assert decoded(PRINTED) == Decoded(frames=144, errors=141, samples=147_456)
    assert decoded("Press [q] to stop") is None


@pytest.mark.parametrize(
    ("frames", "errors", "rate", "loss"),
    [
        (280, 0, 48_000, None),
        (0, 0, 48_000, AudioLoss.DAMAGED),
        (0, 280, 48_000, AudioLoss.DAMAGED),
        (5, 280, 48_000, AudioLoss.DAMAGED),
        (30, 250, 48_000, AudioLoss.PARTS),
        # Where a stream was cut into.
        (280, 4, 48_000, None),
        (280, 10, 48_000, AudioLoss.PARTS),
        (280, 4, 8_000, AudioLoss.PARTS),
    ],
)
def test_what_is_worth_a_word(frames: int, errors: int, rate: int, loss: AudioLoss | None) -> None:
    assert Decoded(frames, errors, samples=1024 * frames).loss(rate) is loss
