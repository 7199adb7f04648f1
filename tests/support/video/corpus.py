"""The awkward files: what people really send, and what only a cruel person would. See `awkward`."""

from tests.support.video.awkward import (
    FILM,
    PHONE,
    PICTURES,
    QUICK,
    READY,
    SOUND,
    X264,
    Awkward,
    Workdir,
    bent,
    made,
    pictures,
    source,
    turned,
)
from tests.support.video.hostile import HOSTILE

X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
AV1 = ["-c:v", "libsvtav1", "-preset", "13", "-svtav1-params", "lp=1"]
HDR = "setparams=color_primaries=bt2020:colorspace=bt2020nc:color_trc="


def subtitled(name: str, *arguments: str) -> Awkward:
    def make(shop: Workdir, name: str, _: str) -> bytes:
        shop.write("t.srt", b"1\n00:00:00,000 --> 00:00:01,000\n<b>file:///etc/passwd</b>\n")
        return shop.make(name, *FILM, "-i", "t.srt", *X264, *arguments).read_bytes()

    return Awkward(name, READY, "a text track", make, (480, 360), 1.0)


ROTATIONS = [
    turned("rotated-0.mp4", size=(480, 360)),
    turned("rotated-90.mp4", "-display_rotation", "90", size=(360, 480)),
    turned("rotated-180.mp4", "-display_rotation", "180", size=(480, 360)),
    turned("rotated-270.mp4", "-display_rotation", "270", size=(360, 480)),
    turned("rotated-30.mp4", "-display_rotation", "30", size=(480, 360)),
    turned("mirrored.mp4", "-display_hflip", size=(480, 360)),
    turned("mirrored-and-rotated.mov", "-display_rotation", "90", "-display_hflip", size=(360, 480)),
]

SIZES = [
    made("321x241.mp4", "odd sides", *pictures("321x241"), *QUICK, "-pix_fmt", "yuv444p", size=(320, 240)),
    made("17x1001.mkv", "very tall", *pictures("17x1001"), *QUICK, "-pix_fmt", "yuv444p", size=None),
    made("1001x17.mkv", "very wide", *pictures("1001x17"), *QUICK, "-pix_fmt", "yuv444p", size=None),
    made("4000x20.mp4", "a line", *pictures("4000x20", seconds=0.5), *X264, size=None, seconds=0.5),
    made("20x4000.mp4", "a pole", *pictures("20x4000", seconds=0.5), *X264, size=None, seconds=0.5),
    made("1x1.webm", "one pixel", *source("color=red:s=1x1:r=30"), *VP8, size=(16, 16)),
    made("2x2.mp4", "four pixels", *source("color=red:s=2x2:r=30"), *X264, size=(16, 16)),
    made("3x5.mkv", "fifteen pixels", *source("color=red:s=3x5:r=30"), *QUICK, "-pix_fmt", "yuv444p", size=(16, 16)),
    made("pal.mp4", "oblong pixels", *pictures("360x288", "25"), *X264, "-vf", "setsar=16/11", size=(524, 288)),
    made("anamorphic.mkv", "tall pixels", *pictures("480x360"), *X264, "-vf", "setsar=1/2", size=(360, 540)),
    made("absurd-pixels.mkv", "an aspect nobody means", *PICTURES, *X264, "-vf", "setsar=1/200"),
]

TIMES = [
    made("one-frame.mp4", "one picture", *pictures("480x360", seconds=0.03), *X264, seconds=1 / 30),
    made("one-frame.webm", "one picture, no duration", *pictures("480x360", seconds=0.03), *VP8, seconds=None),
    made("one-fast-frame.mp4", "one picture of 4 ms", *pictures("480x360", "240", 0.004), *X264, seconds=None),
    made("two-frames.mkv", "two pictures", *pictures("480x360", seconds=0.06), *X264, seconds=1 / 15),
    made("120-fps.mp4", "above what we keep", *pictures("480x360", "120"), *X264),
    made("240-fps.mp4", "slow motion", *pictures("480x360", "240"), *X264),
    made("1000-fps.mkv", "a rate of every millisecond", *pictures("160x120", "1000", 1), *X264, size=None, seconds=1),
    made("half-fps.mp4", "a picture every two seconds", *pictures("480x360", "0.5", 6), *X264, seconds=6),
    made("half-fps.mkv", "the same, without an index", *pictures("480x360", "0.5", 6), *SOUND, *X264, seconds=None),
    made("ntsc.mov", "30000/1001", *pictures("480x360", "30000/1001"), *SOUND, *X264),
    made("varying.mp4", "a rate that varies", *PHONE, "-vf", "select='not(mod(n,7))+not(mod(n,3))'",
         "-fps_mode", "vfr"),
    made("varying-b.mp4", "and reordered pictures", *PICTURES, *SOUND, "-c:v", "libx264", "-bf", "3", "-vf",
         "select='not(mod(n,7))+not(mod(n,3))'", "-fps_mode", "vfr"),
    made("pause.mp4", "a second without a picture", *PHONE, "-vf", "setpts='PTS+if(gt(N,20),1,0)/TB'",
         "-fps_mode", "vfr", seconds=None),
    made("non-monotonic.mkv", "time stamps that go back", *PICTURES, *X264, "-bf", "0",
         "-bsf:v", "setts=pts=PTS+4*mod(N\\,3):dts=DTS", seconds=None),
    made("same-instant.mkv", "pairs of pictures at one instant", *PICTURES, *X264, "-bf", "0",
         "-bsf:v", "setts=ts=floor(N/2)*2", seconds=None),
    made("far-away.mkv", "it begins after a day", *PHONE, "-output_ts_offset", "86400"),
    made("before-zero.mkv", "it begins below zero", *PHONE, "-output_ts_offset", "-0.7",
         "-avoid_negative_ts", "disabled", seconds=None),
    made("wrapping.ts", "the clock of 33 bits wraps", *PHONE, "-output_ts_offset", "95442.9", seconds=None),
    bent("twice.ts", "the clock starts over on the way", lambda data: data * 2),
    made("long-group.mp4", "one key frame in 12 s", *source("color=blue:s=480x360:r=10", 12), *X264, "-g", "999",
         seconds=12),
    made("open-groups.mp4", "pictures before the key frame they follow", *pictures("480x360", seconds=3),
         "-c:v", "libx264", "-x264-params", "open-gop=1:bframes=3:keyint=30", seconds=3),
]  # fmt: skip

PICTURE_CODECS = [
    made("10-bit.mp4", "H.264 that browsers cannot decode", *FILM, *QUICK, "-pix_fmt", "yuv420p10le"),
    made("444.mp4", "the same", *FILM, *QUICK, "-pix_fmt", "yuv444p"),
    made("422.mov", "the same", *FILM, *QUICK, "-pix_fmt", "yuv422p"),
    made("422-10-bit.mov", "the same", *FILM, *QUICK, "-pix_fmt", "yuv422p10le"),
    made("rgb.mkv", "the same", *FILM, "-c:v", "libx264rgb", "-preset", "ultrafast"),
    made("lossless.mkv", "the same", *PHONE, "-qp", "0"),
    made("gray.mp4", "H.264 without colour", *FILM, *QUICK, "-pix_fmt", "gray"),
    made("full-range.mp4", "as phones record", *FILM, *QUICK, "-pix_fmt", "yuvj420p"),
    made("parameters-inside.mp4", "avc3: no parameters in the index", *PHONE, "-tag:v", "avc3"),
    made("hevc.mp4", "HEVC, hev1", *FILM, *X265, "-pix_fmt", "yuv420p"),
    made("hevc-10-bit.mov", "as iPhones record, hvc1", *FILM, *X265, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1"),
    made("hevc-444.mkv", "HEVC 4:4:4", *FILM, *X265, "-pix_fmt", "yuv444p"),
    made("hlg.mov", "HDR", *FILM, *X265, "-pix_fmt", "yuv420p10le", "-vf", f"{HDR}arib-std-b67"),
    made("pq.mp4", "HDR", *FILM, *X265, "-pix_fmt", "yuv420p10le", "-vf", f"{HDR}smpte2084"),
    made("pq-8-bit.mp4", "HDR in what could be copied", *PHONE, "-vf", f"{HDR}smpte2084"),
    made("interlaced.mp4", "H.264 with fields", *PHONE, "-flags", "+ilme+ildct", "-vf", "interlace"),
    made("interlaced.ts", "MPEG-2 as broadcast", *pictures("352x288", "25"), *SOUND, "-c:v", "mpeg2video",
         "-flags", "+ilme+ildct", "-vf", "interlace", "-c:a", "mp2", size=(352, 288)),
    made("dv.avi", "a tape", *pictures("720x576", "25", 0.4), "-c:v", "dvvideo", "-pix_fmt", "yuv420p",
         size=None, seconds=0.4),
    made("prores.mov", "a cutting room's", *FILM, "-c:v", "prores_ks", "-c:a", "pcm_s16le"),
    made("prores-alpha.mov", "with transparency", *FILM, "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"),
    made("dnxhr.mov", "the other cutting room's", *FILM, "-c:v", "dnxhd", "-profile:v", "dnxhr_lb",
         "-pix_fmt", "yuv422p"),
    made("mjpeg.avi", "an old camera's", *FILM, "-c:v", "mjpeg", "-c:a", "pcm_u8"),
    made("mjpeg.mov", "the same", *FILM, "-c:v", "mjpeg", "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"),
    made("vp8.webm", "VP8", *FILM, *VP8, "-c:a", "libvorbis"),
    made("vp8-alpha.webm", "with transparency", *FILM, *VP8, "-vf", "format=yuva420p", "-auto-alt-ref", "0"),
    made("vp9.webm", "VP9", *FILM, *VP9, "-c:a", "libopus"),
    made("vp9-10-bit.webm", "VP9 profile 2", *FILM, *VP9, "-pix_fmt", "yuv420p10le"),
    made("av1.webm", "AV1", *FILM, *AV1, "-c:a", "libopus"),
    made("av1.mp4", "AV1", *FILM, *AV1),
    made("theora.ogv", "Theora", *FILM, "-c:v", "libtheora", "-c:a", "libvorbis"),
    made("mpeg4.avi", "DivX", *FILM, "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"),
    made("old.mpg", "MPEG-1", *pictures("352x288", "25"), *SOUND, "-c:v", "mpeg1video", "-c:a", "mp2",
         size=(352, 288)),
    made("old.wmv", "Windows Media", *FILM, "-c:v", "wmv2", "-c:a", "wmav2"),
    made("old.flv", "Flash", *FILM, "-c:v", "flv1", "-c:a", "libmp3lame", "-ar", "44100"),
    made("new.flv", "Flash with H.264", *PHONE, "-c:a", "aac"),
    made("old.3gp", "an old phone's", *pictures("176x144", "15"), *SOUND, "-c:v", "h263", "-c:a",
         "libopencore_amrnb", "-ar", "8000", "-ac", "1", size=None),
    made("camcorder.m2ts", "192-byte packets", *PHONE, "-mpegts_m2ts_mode", "1", "-c:a", "ac3"),
    made("unknown.avi", "a codec that we do not open", *FILM, "-c:v", "ffvhuff", ends="no-decoder"),
]  # fmt: skip

_SURROUND = ["-f", "lavfi", "-i", "aevalsrc=0.1*sin(880*t)|0|0|0|0|0.1*sin(880*t):c=5.1:s=48000:d=1.0"]
_SEVEN = ["-f", "lavfi", "-i", "aevalsrc=0|0|0.1*sin(880*t)|0|0|0|0|0:c=7.1:s=48000:d=1.0"]


def _sound(name: str, why: str, *codec: str, sound: list[str] = SOUND, seconds: float | None = 1.0) -> Awkward:
    return made(name, why, *PICTURES, *sound, *X264, *codec, seconds=seconds)


SOUNDS = [
    made("audio-only.mp4", "no pictures", *SOUND, ends="not-a-video"),
    made("audio-only.mka", "no pictures", *SOUND, "-c:a", "libopus", ends="not-a-video"),
    made("audio-only.wav", "no container of videos", *SOUND, ends="not-a-video"),
    made("audio-only.mp3", "no container of videos", *SOUND, ends="not-a-video"),
    made("video-only.mp4", "no sound", *PICTURES, *X264),
    _sound("opus.mp4", "", "-c:a", "libopus"),
    _sound("vorbis.mkv", "", "-c:a", "libvorbis"),
    _sound("flac.mp4", "", "-c:a", "flac", "-strict", "-2"),
    _sound("alac.mov", "", "-c:a", "alac"),
    _sound("pcm.mov", "", "-c:a", "pcm_s24le"),
    _sound("pcm-float.mkv", "", "-c:a", "pcm_f32le", "-ar", "96000"),
    _sound("mp3.mp4", "", "-c:a", "libmp3lame"),
    _sound("surround.mp4", "5.1, AAC", sound=_SURROUND),
    _sound("surround.mkv", "5.1, E-AC-3", "-c:a", "eac3", sound=_SURROUND),
    _sound("seven.mp4", "7.1, AAC", sound=_SEVEN),
    _sound("telephone.mp4", "mono, 8 kHz", "-ar", "8000", "-ac", "1"),
    _sound("silence.mp4", "digital silence has no loudness", sound=source("anullsrc=r=48000:cl=stereo")),
    _sound("whisper.mp4", "hardly any loudness", "-af", "volume=-70dB"),
    _sound("scream.mp4", "above full scale", "-af", "volume=40dB"),
    _sound("too-short-to-measure.mp4", "a tenth of a second", sound=source("sine=r=48000", 0.1)),
    _sound("sound-a-little-longer.mp4", "how recorders stop", sound=source("sine=r=48000", 1.3)),
    _sound("sound-much-longer.mp4", "a picture with music", sound=source("sine=r=48000", 3), seconds=3),
    _sound("late-sound.mp4", "", sound=["-itsoffset", "0.5", *source("sine=r=48000", 0.5)]),
    _sound("very-late-sound.mp4", "", sound=["-itsoffset", "3", *source("sine=r=48000", 1)], seconds=4),
    made("late-pictures.mp4", "", "-itsoffset", "0.7", *PHONE, seconds=1.7),
    made("truehd.mkv", "a film's", *PHONE, "-c:a", "truehd", "-strict", "-2"),
]

STREAMS = [
    made("20-streams.mp4", "a microphone in each", *PICTURES, *SOUND, "-map", "0:v", *["-map", "1:a"] * 19, *X264),
    made("300-streams.mkv", "Matroska, which goes on without those above the limit, and then loses frames", *PICTURES,
         *source("sine=r=8000", 0.1), "-map", "0:v", *["-map", "1:a"] * 299, *X264, "-c:a", "pcm_u8",
         ends="too-many-streams"),
    made("150-streams.mp4", "above the limit", *PICTURES, *SOUND, "-map", "0:v", *["-map", "1:a"] * 149, *X264,
         ends="too-many-streams"),
    made("two-pictures.mp4", "the default one", *pictures("320x240"), *PICTURES, *SOUND, "-map", "0", "-map", "1",
         "-map", "2", *X264, "-disposition:v:0", "0", "-disposition:v:1", "default"),
    made("languages.mkv", "two sounds", *PHONE, "-map", "0", "-map", "1", "-map", "1"),
    made("cover.mp4", "a still beside the video", *PICTURES, *SOUND, *source("color=s=600x600", 0.04), "-map", "0",
         "-map", "1", "-map", "2", *X264, "-c:v:1", "mjpeg", "-disposition:v:1", "attached_pic"),
    made("song.m4a", "a still beside a song", *SOUND, *source("color=s=600x600", 0.04), "-map", "0", "-map", "1",
         "-c:v", "mjpeg", "-disposition:v:0", "attached_pic", "-f", "mp4", ends="not-a-video"),
    subtitled("subtitled.mp4", "-c:s", "mov_text"),
    subtitled("subtitled.mkv", "-c:s", "ass", "-attach", "t.srt", "-metadata:s:t", "mimetype=text/plain"),
    made("timecode.mov", "a data track", *PHONE, "-timecode", "01:00:00:00"),
]  # fmt: skip

CORPUS = [*ROTATIONS, *SIZES, *TIMES, *PICTURE_CODECS, *SOUNDS, *STREAMS, *HOSTILE]
