"""What an operator chooses about the renditions: pure."""

from dataclasses import dataclass

RUNGS = (1080, 720, 480, 360, 240)
"""The sizes there are: pixels of the shorter side."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How renditions are made; what a single job may use at most is in `Limits`."""

    rungs: tuple[int, ...] = RUNGS
    """The sizes to make of a picture that is large enough, some of RUNGS; one smaller than all keeps its own."""
    preset: str = "veryfast"
    """x264's preset for what is kept; what is only watched until then is made faster."""
    encoder: str = "libx264"
    """ffmpeg's name of the H.264 encoder, one that `tools.usable_encoder` found to work."""
    copy: bool = True
    """Whether the sender's own pictures become the highest rung where every player takes them as they are."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.rungs) - set(RUNGS))
        if not self.rungs or unknown:
            raise ValueError(f"rungs must be some of {', '.join(map(str, RUNGS))}, not {list(self.rungs)}")


DEFAULT = Settings()
"""What suits most."""
