"""Filter chains of audio: stereo of one rate, as long as the video, synchronized with it. Pure."""

from collections.abc import Sequence

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.commandline.downmix import to_stereo
from transcode.mp4.init_segment import AAC_FRAME, AUDIO_RATE
from transcode.source.probe import Audio

STEREO = f"aformat=sample_fmts=flt:sample_rates={AUDIO_RATE}:channel_layouts=stereo"
"""The filter for the one format that all audio filters take."""

# Samples: as far as the encoder looks back or ahead.
_PRIMING = 2 * AAC_FRAME
_SEVERAL = 2
# Options of `aresample` that follow the time stamps. Two joined recordings overlap by some packets, or leave a gap:
# neither may add up. More than so many seconds off is noticed (ITU-R BT.1359).
_FOLLOWING: dict[str, object] = {"async": 1, "min_hard_comp": 0.03}


def played_tracks(read: Stream, audio: Audio) -> Stream | None:
    """Return what is played of the file, in stereo: an audio track, or the microphones of which each has a track."""
    tracks = [read[str(index)].filter("pan", args=downmix(audio, index)) for index in audio.indexes]
    if len(tracks) < _SEVERAL:
        return tracks[0] if tracks else None
    return mixed(tracks)


def downmix(audio: Audio, index: int) -> str:
    """Return the argument of `pan` that makes stereo of an audio track."""
    track = audio.track(index)
    return to_stereo(track.layout, track.channels)


def mixed(tracks: Sequence[Stream]) -> Stream:
    """Mix tracks, in stereo each, into one at AUDIO_RATE that follows their time stamps."""
    # The mixer assumes that they start together.
    tracks = [_resampled(track) for track in tracks]
    if len(tracks) < _SEVERAL:
        return tracks[0]
    weights = " ".join([f"{1 / len(tracks):.3f}"] * len(tracks))
    joined = ffmpeg.filter(tracks, "amix", inputs=len(tracks), weights=weights, normalize=0)
    # Where one of them has ended, its frames have no time stamps.
    return joined.filter("asetpts", "N/SR/TB")


def synchronized(audio: Stream) -> Stream:
    """Convert audio that keeps its format to stereo at AUDIO_RATE, from the origin on, by its time stamps."""
    return _stereo(_resampled(audio))


def rung_audio(audio: Stream | None, samples: int, gain: float = 0.0) -> Stream:
    """Make stereo of exactly `samples` per channel, plus priming, with a `gain` in dB; of None, silence."""
    # Without a silent track a player's audio buffer would end here, and with it the whole list.
    silence = ffmpeg.input(f"anullsrc=r={AUDIO_RATE}:cl=stereo", f="lavfi")
    made = _stereo(silence if audio is None else _resampled(audio))
    if gain:
        made = made.filter("volume", f"{gain:.2f}dB")
    return _primed(made.filter("apad").filter("atrim", end_sample=samples), samples)


def trimmed(audio: Stream, first: int, end: int) -> Stream:
    """Make stereo of the samples from `first` up to `end`, for a file that is played alone."""
    made = synchronized(audio).filter("apad").filter("atrim", start_sample=first, end_sample=end)
    return made.filter("asetpts", "N/SR/TB")


def _resampled(audio: Stream) -> Stream:
    return audio.filter("aresample", AUDIO_RATE, **_FOLLOWING, first_pts=0)


def _stereo(audio: Stream) -> Stream:
    return audio.filter("aformat", sample_fmts="fltp", sample_rates=AUDIO_RATE, channel_layouts="stereo")


def _primed(audio: Stream, samples: int) -> Stream:
    """Prepend the start of the audio, and append its end, both reversed.

    AAC packets overlap. What the encoder makes up for the missing neighbours of the first and last packet is audible
    as silence between two videos (measured: 18 ms; so, none). The packets before 0 and after the end are dropped.
    """
    priming = min(_PRIMING, samples // AAC_FRAME * AAC_FRAME)
    if not priming:
        return audio
    copies = audio.filter_multi_output("asplit", 3)
    before = copies.stream(0).filter("atrim", end_sample=priming).filter("areverse")
    after = copies.stream(2).filter("atrim", start_sample=samples - priming).filter("areverse")
    joined = ffmpeg.concat(before, copies.stream(1), after, v=0, a=1)
    return joined.filter("asetpts", f"(N-{priming})/SR/TB")
