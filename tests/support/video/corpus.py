"""List the corpus of files: unusual ones that people really send, and hostile ones. See `corpus_case`."""

from tests.support.video.corpus_case import (
    AUDIO,
    AV,
    PHONE,
    QUICK,
    READY,
    VIDEO,
    X264,
    CorpusCase,
    Workdir,
    altered,
    encoded,
    rotated,
    source,
    video,
)
from tests.support.video.hostile import HOSTILE

X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
AV1 = ["-c:v", "libsvtav1", "-preset", "13", "-svtav1-params", "lp=1"]
HDR = "setparams=color_primaries=bt2020:colorspace=bt2020nc:color_trc="


def subtitled(name: str, *arguments: str) -> CorpusCase:
    def make(workdir: Workdir, name: str, _: str) -> bytes:
        workdir.write("t.srt", b"1\n00:00:00,000 --> 00:00:01,000\n<b>file:///etc/passwd</b>\n")
        return workdir.make(name, *AV, "-i", "t.srt", *X264, *arguments).read_bytes()

    return CorpusCase(name, READY, "a text track", make, (480, 360), 1.0)


ROTATIONS = [
    rotated("rotated-0.mp4", size=(480, 360)),
    rotated("rotated-90.mp4", "-display_rotation", "90", size=(360, 480)),
    rotated("rotated-180.mp4", "-display_rotation", "180", size=(480, 360)),
    rotated("rotated-270.mp4", "-display_rotation", "270", size=(360, 480)),
    rotated("rotated-30.mp4", "-display_rotation", "30", size=(480, 360)),
    rotated("mirrored.mp4", "-display_hflip", size=(480, 360)),
    rotated("mirrored-and-rotated.mov", "-display_rotation", "90", "-display_hflip", size=(360, 480)),
]

SIZES = [
    encoded("321x241.mp4", "odd sides", *video("321x241"), *QUICK, "-pix_fmt", "yuv444p", size=(320, 240)),
    encoded("17x1001.mkv", "very tall", *video("17x1001"), *QUICK, "-pix_fmt", "yuv444p", size=None),
    encoded("1001x17.mkv", "very wide", *video("1001x17"), *QUICK, "-pix_fmt", "yuv444p", size=None),
    encoded("4000x20.mp4", "a line", *video("4000x20", seconds=0.5), *X264, size=None, seconds=0.5),
    encoded("20x4000.mp4", "a pole", *video("20x4000", seconds=0.5), *X264, size=None, seconds=0.5),
    encoded("1x1.webm", "one pixel", *source("color=red:s=1x1:r=30"), *VP8, size=(16, 16)),
    encoded("2x2.mp4", "four pixels", *source("color=red:s=2x2:r=30"), *X264, size=(16, 16)),
    encoded("3x5.mkv", "fifteen pixels", *source("color=red:s=3x5:r=30"), *QUICK, "-pix_fmt", "yuv444p", size=(16, 16)),
    encoded("pal.mp4", "oblong pixels", *video("360x288", "25"), *X264, "-vf", "setsar=16/11", size=(524, 288)),
    encoded("anamorphic.mkv", "tall pixels", *video("480x360"), *X264, "-vf", "setsar=1/2", size=(360, 540)),
    encoded("absurd-pixels.mkv", "an aspect nobody means", *VIDEO, *X264, "-vf", "setsar=1/200"),
]

TIMES = [
    encoded("one-frame.mp4", "one frame", *video("480x360", seconds=0.03), *X264, seconds=1 / 30),
    encoded("one-frame.webm", "one frame, no duration", *video("480x360", seconds=0.03), *VP8, seconds=None),
    encoded("one-fast-frame.mp4", "one frame of 4 ms", *video("480x360", "240", 0.004), *X264, seconds=None),
    encoded("two-frames.mkv", "two frames", *video("480x360", seconds=0.06), *X264, seconds=1 / 15),
    encoded("120-fps.mp4", "above what we keep", *video("480x360", "120"), *X264),
    encoded("240-fps.mp4", "slow motion", *video("480x360", "240"), *X264),
    encoded("1000-fps.mkv", "a rate of every millisecond", *video("160x120", "1000", 1), *X264, size=None, seconds=1),
    encoded("half-fps.mp4", "a frame every two seconds", *video("480x360", "0.5", 6), *X264, seconds=6),
    encoded("half-fps.mkv", "the same, without an index", *video("480x360", "0.5", 6), *AUDIO, *X264, seconds=None),
    encoded("ntsc.mov", "30000/1001", *video("480x360", "30000/1001"), *AUDIO, *X264),
    encoded("varying.mp4", "a rate that varies", *PHONE, "-vf", "select='not(mod(n,7))+not(mod(n,3))'",
         "-fps_mode", "vfr"),
    encoded("varying-b.mp4", "and reordered frames", *VIDEO, *AUDIO, "-c:v", "libx264", "-bf", "3", "-vf",
         "select='not(mod(n,7))+not(mod(n,3))'", "-fps_mode", "vfr"),
    encoded("pause.mp4", "a second without a frame", *PHONE, "-vf", "setpts='PTS+if(gt(N,20),1,0)/TB'",
         "-fps_mode", "vfr", seconds=None),
    encoded("non-monotonic.mkv", "time stamps that go back", *VIDEO, *X264, "-bf", "0",
         "-bsf:v", "setts=pts=PTS+4*mod(N\\,3):dts=DTS", seconds=None),
    encoded("same-instant.mkv", "pairs of frames with one time stamp", *VIDEO, *X264, "-bf", "0",
         "-bsf:v", "setts=ts=floor(N/2)*2", seconds=None),
    encoded("far-away.mkv", "it starts after a day", *PHONE, "-output_ts_offset", "86400"),
    encoded("before-zero.mkv", "it starts below zero", *PHONE, "-output_ts_offset", "-0.7",
         "-avoid_negative_ts", "disabled", seconds=None),
    encoded("wrapping.ts", "the clock of 33 bits wraps", *PHONE, "-output_ts_offset", "95442.9", seconds=None),
    altered("twice.ts", "the clock starts over on the way", lambda data: data * 2),
    encoded("long-group.mp4", "one key frame in 12 s", *source("color=blue:s=480x360:r=10", 12), *X264, "-g", "999",
         seconds=12),
    encoded("open-groups.mp4", "frames presented before their key frame", *video("480x360", seconds=3),
         "-c:v", "libx264", "-x264-params", "open-gop=1:bframes=3:keyint=30", seconds=3),
]  # fmt: skip

VIDEO_CODECS = [
    encoded("10-bit.mp4", "H.264 that browsers cannot decode", *AV, *QUICK, "-pix_fmt", "yuv420p10le"),
    encoded("444.mp4", "the same", *AV, *QUICK, "-pix_fmt", "yuv444p"),
    encoded("422.mov", "the same", *AV, *QUICK, "-pix_fmt", "yuv422p"),
    encoded("422-10-bit.mov", "the same", *AV, *QUICK, "-pix_fmt", "yuv422p10le"),
    encoded("rgb.mkv", "the same", *AV, "-c:v", "libx264rgb", "-preset", "ultrafast"),
    encoded("lossless.mkv", "the same", *PHONE, "-qp", "0"),
    encoded("gray.mp4", "H.264 without colour", *AV, *QUICK, "-pix_fmt", "gray"),
    encoded("full-range.mp4", "as phones record", *AV, *QUICK, "-pix_fmt", "yuvj420p"),
    encoded("parameters-inside.mp4", "avc3: no parameters in the index", *PHONE, "-tag:v", "avc3"),
    encoded("hevc.mp4", "HEVC, hev1", *AV, *X265, "-pix_fmt", "yuv420p"),
    encoded("hevc-10-bit.mov", "as iPhones record, hvc1", *AV, *X265, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1"),
    encoded("hevc-444.mkv", "HEVC 4:4:4", *AV, *X265, "-pix_fmt", "yuv444p"),
    encoded("hlg.mov", "HDR", *AV, *X265, "-pix_fmt", "yuv420p10le", "-vf", f"{HDR}arib-std-b67"),
    encoded("pq.mp4", "HDR", *AV, *X265, "-pix_fmt", "yuv420p10le", "-vf", f"{HDR}smpte2084"),
    encoded("pq-8-bit.mp4", "HDR in what could be copied", *PHONE, "-vf", f"{HDR}smpte2084"),
    encoded("interlaced.mp4", "H.264 with fields", *PHONE, "-flags", "+ilme+ildct", "-vf", "interlace"),
    encoded("interlaced.ts", "MPEG-2 as broadcast", *video("352x288", "25"), *AUDIO, "-c:v", "mpeg2video",
         "-flags", "+ilme+ildct", "-vf", "interlace", "-c:a", "mp2", size=(352, 288)),
    encoded("dv.avi", "a tape", *video("720x576", "25", 0.4), "-c:v", "dvvideo", "-pix_fmt", "yuv420p",
         size=None, seconds=0.4),
    encoded("prores.mov", "a cutting room's", *AV, "-c:v", "prores_ks", "-c:a", "pcm_s16le"),
    encoded("prores-alpha.mov", "with transparency", *AV, "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"),
    encoded("dnxhr.mov", "the other cutting room's", *AV, "-c:v", "dnxhd", "-profile:v", "dnxhr_lb",
         "-pix_fmt", "yuv422p"),
    encoded("mjpeg.avi", "an old camera's", *AV, "-c:v", "mjpeg", "-c:a", "pcm_u8"),
    encoded("mjpeg.mov", "the same", *AV, "-c:v", "mjpeg", "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"),
    encoded("vp8.webm", "VP8", *AV, *VP8, "-c:a", "libvorbis"),
    encoded("vp8-alpha.webm", "with transparency", *AV, *VP8, "-vf", "format=yuva420p", "-auto-alt-ref", "0"),
    encoded("vp9.webm", "VP9", *AV, *VP9, "-c:a", "libopus"),
    encoded("vp9-10-bit.webm", "VP9 profile 2", *AV, *VP9, "-pix_fmt", "yuv420p10le"),
    encoded("av1.webm", "AV1", *AV, *AV1, "-c:a", "libopus"),
    encoded("av1.mp4", "AV1", *AV, *AV1),
    encoded("theora.ogv", "Theora", *AV, "-c:v", "libtheora", "-c:a", "libvorbis"),
    encoded("mpeg4.avi", "DivX", *AV, "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"),
    encoded("old.mpg", "MPEG-1", *video("352x288", "25"), *AUDIO, "-c:v", "mpeg1video", "-c:a", "mp2",
         size=(352, 288)),
    encoded("old.wmv", "Windows Media", *AV, "-c:v", "wmv2", "-c:a", "wmav2"),
    encoded("old.flv", "Flash", *AV, "-c:v", "flv1", "-c:a", "libmp3lame", "-ar", "44100"),
    encoded("new.flv", "Flash with H.264", *PHONE, "-c:a", "aac"),
    encoded("old.3gp", "an old phone's", *video("176x144", "15"), *AUDIO, "-c:v", "h263", "-c:a",
         "libopencore_amrnb", "-ar", "8000", "-ac", "1", size=None),
    encoded("camcorder.m2ts", "192-byte packets", *PHONE, "-mpegts_m2ts_mode", "1", "-c:a", "ac3"),
    encoded("unknown.avi", "a codec that we do not open", *AV, "-c:v", "ffvhuff", ends="no-decoder"),
]  # fmt: skip

_SURROUND = ["-f", "lavfi", "-i", "aevalsrc=0.1*sin(880*t)|0|0|0|0|0.1*sin(880*t):c=5.1:s=48000:d=1.0"]
_SEVEN = ["-f", "lavfi", "-i", "aevalsrc=0|0|0.1*sin(880*t)|0|0|0|0|0:c=7.1:s=48000:d=1.0"]


def _audio_case(name: str, why: str, *codec: str, audio: list[str] = AUDIO, seconds: float | None = 1.0) -> CorpusCase:
    return encoded(name, why, *VIDEO, *audio, *X264, *codec, seconds=seconds)


AUDIO_CASES = [
    encoded("audio-only.mp4", "no video track", *AUDIO, ends="not-a-video"),
    encoded("audio-only.mka", "no video track", *AUDIO, "-c:a", "libopus", ends="not-a-video"),
    encoded("audio-only.wav", "no container of videos", *AUDIO, ends="not-a-video"),
    encoded("audio-only.mp3", "no container of videos", *AUDIO, ends="not-a-video"),
    encoded("video-only.mp4", "no audio", *VIDEO, *X264),
    _audio_case("opus.mp4", "", "-c:a", "libopus"),
    _audio_case("vorbis.mkv", "", "-c:a", "libvorbis"),
    _audio_case("flac.mp4", "", "-c:a", "flac", "-strict", "-2"),
    _audio_case("alac.mov", "", "-c:a", "alac"),
    _audio_case("pcm.mov", "", "-c:a", "pcm_s24le"),
    _audio_case("pcm-float.mkv", "", "-c:a", "pcm_f32le", "-ar", "96000"),
    _audio_case("mp3.mp4", "", "-c:a", "libmp3lame"),
    _audio_case("surround.mp4", "5.1, AAC", audio=_SURROUND),
    _audio_case("surround.mkv", "5.1, E-AC-3", "-c:a", "eac3", audio=_SURROUND),
    _audio_case("seven.mp4", "7.1, AAC", audio=_SEVEN),
    _audio_case("telephone.mp4", "mono, 8 kHz", "-ar", "8000", "-ac", "1"),
    _audio_case("silence.mp4", "digital silence has no loudness", audio=source("anullsrc=r=48000:cl=stereo")),
    _audio_case("whisper.mp4", "hardly any loudness", "-af", "volume=-70dB"),
    _audio_case("scream.mp4", "above full scale", "-af", "volume=40dB"),
    _audio_case("too-short-to-measure.mp4", "a tenth of a second", audio=source("sine=r=48000", 0.1)),
    _audio_case("audio-a-little-longer.mp4", "how recorders stop", audio=source("sine=r=48000", 1.3)),
    _audio_case("audio-much-longer.mp4", "a still image with music", audio=source("sine=r=48000", 3), seconds=3),
    _audio_case("late-audio.mp4", "", audio=["-itsoffset", "0.5", *source("sine=r=48000", 0.5)]),
    _audio_case("very-late-audio.mp4", "", audio=["-itsoffset", "3", *source("sine=r=48000", 1)], seconds=4),
    encoded("late-video.mp4", "", "-itsoffset", "0.7", *PHONE, seconds=1.7),
    encoded("truehd.mkv", "a disc's", *PHONE, "-c:a", "truehd", "-strict", "-2"),
]

STREAMS = [
    encoded("20-streams.mp4", "a microphone in each", *VIDEO, *AUDIO, "-map", "0:v", *["-map", "1:a"] * 19, *X264),
    encoded("300-streams.mkv", "Matroska, which goes on without those above the limit, and then loses frames", *VIDEO,
         *source("sine=r=8000", 0.1), "-map", "0:v", *["-map", "1:a"] * 299, *X264, "-c:a", "pcm_u8",
         ends="too-many-streams"),
    encoded("150-streams.mp4", "above the limit", *VIDEO, *AUDIO, "-map", "0:v", *["-map", "1:a"] * 149, *X264,
         ends="too-many-streams"),
    encoded("two-video-tracks.mp4", "the default one", *video("320x240"), *VIDEO, *AUDIO, "-map", "0", "-map", "1",
         "-map", "2", *X264, "-disposition:v:0", "0", "-disposition:v:1", "default"),
    encoded("languages.mkv", "two audio tracks", *PHONE, "-map", "0", "-map", "1", "-map", "1"),
    encoded("cover.mp4", "a still beside the video", *VIDEO, *AUDIO, *source("color=s=600x600", 0.04), "-map", "0",
         "-map", "1", "-map", "2", *X264, "-c:v:1", "mjpeg", "-disposition:v:1", "attached_pic"),
    encoded("song.m4a", "a still beside a song", *AUDIO, *source("color=s=600x600", 0.04), "-map", "0", "-map", "1",
         "-c:v", "mjpeg", "-disposition:v:0", "attached_pic", "-f", "mp4", ends="not-a-video"),
    subtitled("subtitled.mp4", "-c:s", "mov_text"),
    subtitled("subtitled.mkv", "-c:s", "ass", "-attach", "t.srt", "-metadata:s:t", "mimetype=text/plain"),
    encoded("timecode.mov", "a data track", *PHONE, "-timecode", "01:00:00:00"),
]  # fmt: skip

CORPUS = [*ROTATIONS, *SIZES, *TIMES, *VIDEO_CODECS, *AUDIO_CASES, *STREAMS, *HOSTILE]
