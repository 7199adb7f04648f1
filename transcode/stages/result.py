"""What a stage consists of, as its publisher sees it: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transcode import checks
from transcode.hls.bandwidths import bandwidths
from transcode.hls.captions import Captions
from transcode.hls.playlist import Rendition
from transcode.plan import Rung
from transcode.segments import Written
from transcode.source.audio_loss import AudioLoss
from transcode.storyboard import Storyboard

PLAYABLE = "playable"
"""The folder, inside `out`, of the first stage."""

READY = "ready"
"""The folder, inside `out`, of the ladder."""


@dataclass(frozen=True, slots=True)
class Poster:
    """The poster of a stage, if there is one."""

    name: str | None = None
    blurhash: str | None = None
    is_dark: bool = False


NO_POSTER = Poster()


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage's folder holds: seconds, pixels of its largest rendition, renditions by size, largest first.

    Renditions list all of their segments; of each, the first `available` exist. File names are None for what there is
    not; storyboard (`playlist.STORYBOARD`) and preview come with the ladder. `audio_left_out` is None where all of the
    file's audio is in the renditions, or where it has none; it may be known only with the ladder. `left_out`: the
    rungs below a stream copy are not made, as was wanted.
    """

    duration: float
    width: int
    height: int
    poster: str | None
    renditions: tuple[Rendition, ...]
    available: int
    blurhash: str | None = None
    storyboard: Storyboard | None = None
    preview: str | None = None
    captions: tuple[Captions, ...] = ()
    audio_left_out: AudioLoss | None = None
    left_out: bool = False

    @property
    def whole(self) -> bool:
        """Whether every segment exists."""
        return self.available == len(self.renditions[0].durations)

    def with_poster(self, poster: Poster) -> "Result":
        """Return it with a poster."""
        return replace(self, poster=poster.name, blurhash=poster.blurhash)


def result_of(renditions: Sequence[Rendition], captions: tuple[Captions, ...], loss: AudioLoss | None) -> Result:
    """Return the result for complete renditions, without a poster."""
    first = renditions[0]
    return Result(
        duration=first.duration,
        width=first.width,
        height=first.height,
        poster=None,
        renditions=tuple(renditions),
        available=len(first.durations),
        captions=captions,
        audio_left_out=loss,
    )


def rendition_of(written: Written, rung: Rung, durations: tuple[float, ...]) -> Rendition:
    """Measure a complete rendition. Raises InvalidRendition."""
    peak, mean = bandwidths([segment.size for segment in written.segments], durations)
    return Rendition(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        frame_rate=checks.frame_rate(written.segments, sum(durations)),
        codecs=checks.codecs(written.init),
        bandwidth=peak,
        average_bandwidth=mean,
        durations=durations,
    )
