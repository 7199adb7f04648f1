import signal

import pytest

from transcode.process.diagnosis import diagnose


@pytest.mark.parametrize(
    ("return_code", "printed", "code", "final"),
    [
        (-signal.SIGKILL, "", "overloaded", False),
        (-signal.SIGXCPU, "", "took-too-long", False),
        (-signal.SIGXFSZ, "", "failed", False),
        # As a shell or bubblewrap reports it.
        (128 + signal.SIGKILL, "", "overloaded", False),
        (128 + signal.SIGXCPU, "", "took-too-long", False),
        # ffmpeg heeds the signal.
        (255, "", "took-too-long", False),
        (123, "Received > 3 system signals, hard exiting", "took-too-long", False),
        (255, "Error opening output file: Operation not permitted", "failed", False),
        (128 + signal.SIGXFSZ, "", "failed", False),
        (1, "Number of streams exceeds max_streams parameter (16)\nOut of memory", "too-many-streams", True),
        (234, "Picture size exceeds specified max pixel count 1\nInvalid data found", "too-large-picture", True),
        (1, "Cannot allocate memory", "too-large-picture", True),
        (69, "Your platform doesn't support hardware accelerated AV1 decoding.", "no-decoder", False),
        (1, "Decoding requested, but no decoder found for: vvc\nInvalid argument", "no-decoder", False),
        (1, "Codec (ffvhuff) not on whitelist 'h264'\nInvalid argument", "no-decoder", True),
        (245, "pthread_create() failed: Resource temporarily unavailable", "overloaded", False),
        (1, "moov atom not found", "broken-file", True),
        (234, "Changing audio frame properties on the fly is not supported.\nInvalid argument", "broken-file", True),
        (1, "No space left on device", "disk-full", False),
        (1, "av_interleaved_write_frame(): Disk quota exceeded", "disk-full", False),
        (1, "", "failed", False),
        (1, "x" * 10_000, "failed", False),
    ],
)
def test_causes(return_code: int, printed: str, code: str, *, final: bool) -> None:
    error = diagnose("ffmpeg", return_code, printed)
    assert (error.code, error.final) == (code, final)
    assert len(str(error)) < 1000
