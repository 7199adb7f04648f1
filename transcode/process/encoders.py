"""ffmpeg's options for each H.264 encoder, by its name: pure.

Whichever encodes it, a rendition has constant quality below a maximum bit rate, no B-frames (decode order is
presentation order), and closed GOPs that start with an IDR frame exactly where it is forced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOFTWARE = "libx264"
"""The encoder that works everywhere."""

_QUALITY = 23
_RENDER_NODE = "/dev/dri/renderD128"
_TRIAL_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder and what it needs."""

    name: str
    """ffmpeg's name."""
    global_arguments: tuple[str, ...] = ()
    """Global options of the command line."""
    filters: tuple[tuple[str, str], ...] = ()
    """Filters, with their argument, at the end of each rung's chain: yuv420p in memory → what the encoder takes."""
    devices: tuple[str, ...] = ()
    """The files of /dev that it needs: `ffmpeg.run` makes them visible."""
    quality: Mapping[str, object] = field(default_factory=dict)
    """Options that differ from encoder to encoder."""

    def options(self, *, max_rate: int, key_frame_distance: int, preset: str, threads: int) -> dict[str, object]:
        """Return the output options of a rung, without dash and stream specifier: add `:v`, or `:v:2` for the third.

        `max_rate` is in bits per second, `key_frame_distance` in frames. `preset` and `threads` are of x264 alone.
        `force_key_frames` may be added: forced key frames are IDR frames, too.
        """
        options: dict[str, object] = {
            "c": self.name,
            "profile": "high",
            "maxrate": max_rate,
            "bufsize": 2 * max_rate,
            "bf": 0,
            "g": key_frame_distance,
            "flags": "+cgop+global_header",
            **self.quality,
        }
        if self.name == SOFTWARE:
            return options | {"preset": preset, "threads": threads, "keyint_min": key_frame_distance}
        # Without one, ffmpeg's 200 kb/s would limit the quality; equal to the maximum, Quick Sync would use CBR.
        return options | {"b": max_rate * 3 // 4}


_ENCODERS = {
    encoder.name: encoder
    for encoder in (
        Encoder(SOFTWARE, quality={"crf": _QUALITY, "sc_threshold": 0, "forced-idr": 1}),
        Encoder(
            "h264_vaapi",
            ("-vaapi_device", _RENDER_NODE),
            (("format", "nv12"), ("hwupload", "")),
            ("/dev/dri",),
            # Quality-defined variable bit rate. Forced key frames are always IDR with it; every I-frame is one.
            {"rc_mode": "QVBR", "global_quality": _QUALITY, "idr_interval": 0},
        ),
        Encoder(
            "h264_nvenc",
            # It uploads by itself, to the first card.
            (),
            (("format", "nv12"),),
            ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"),
            {
                "rc": "vbr",
                "cq": _QUALITY,
                "preset": "p4",
                "forced-idr": 1,
                "no-scenecut": 1,
                "strict_gop": 1,
            },
        ),
        Encoder(
            "h264_qsv",
            ("-init_hw_device", f"qsv=hw,child_device={_RENDER_NODE}", "-filter_hw_device", "hw"),
            (("format", "nv12"), ("hwupload", "extra_hw_frames=32")),
            ("/dev/dri",),
            {
                "global_quality": _QUALITY,
                "preset": "veryfast",
                "forced_idr": 1,
                "idr_interval": 0,
                "adaptive_i": 0,
            },
        ),
    )
}


def encoder(name: str) -> Encoder:
    """Return an encoder by its name. Raises ValueError for an unknown one."""
    try:
        return _ENCODERS[name]
    except KeyError:
        raise ValueError(f"no H.264 encoder is called {name}; there are {', '.join(_ENCODERS)}") from None


def trial(ffmpeg: str, encoder: Encoder) -> list[str]:
    """Return a command line that encodes a few frames with all options of a job: it fails where a job would."""
    # As small as our smallest rung: some hardware refuses less than 145 pixels.
    command = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", *encoder.global_arguments]
    command += ["-f", "lavfi", "-i", f"color=s=426x240:r=30,trim=end_frame={_TRIAL_FRAMES}"]
    if encoder.filters:
        command += ["-vf", ",".join(f"{name}={value}" if value else name for name, value in encoder.filters)]
    options = encoder.options(max_rate=521_000, key_frame_distance=_TRIAL_FRAMES // 2, preset="veryfast", threads=1)
    arguments = [part for key, value in options.items() for part in (f"-{key}:v", str(value))]
    return [*command, *arguments, "-f", "null", "-"]
