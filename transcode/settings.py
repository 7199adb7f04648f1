"""The operator's choices about renditions: pure."""

from dataclasses import dataclass

RUNGS = (1080, 720, 480, 360, 240)
"""The sizes of rungs: pixels of the shorter side."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How renditions are encoded; the resources of a single job are in `Limits`."""

    rungs: tuple[int, ...] = RUNGS
    """The rungs to encode of a video that is large enough, some of RUNGS; one smaller than all keeps its own size."""
    preset: str = "veryfast"
    """x264's preset for the ladder; a first stage, which the ladder replaces, is encoded faster."""
    encoder: str = "libx264"
    """ffmpeg's name of the H.264 encoder, one that `tools.usable_encoder` found to work."""
    every_rung: bool = False
    """Whether rungs are made that save less than a third of the bits of the one above: to compare, not to serve."""
    copy: bool = True
    """Whether the sender's own video is stream copied as the highest rung where every player can decode it."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.rungs) - set(RUNGS))
        if not self.rungs or unknown:
            raise ValueError(f"rungs must be some of {', '.join(map(str, RUNGS))}, not {list(self.rungs)}")


DEFAULT = Settings()
"""What suits most installations."""
