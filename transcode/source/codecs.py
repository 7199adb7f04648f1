"""The codecs that may be decoded from strangers' files, with ffmpeg's decoders for them.

They are what phones, browsers, cameras, screen recorders and old archives really wrote; each further decoder would be
more code that a hostile file can attack.
"""

VIDEO_DECODERS = {
    "av1": "libdav1d,libaom-av1,av1",
    "cfhd": "cfhd",
    "cinepak": "cinepak",
    "dnxhd": "dnxhd",
    "dvvideo": "dvvideo",
    "ffv1": "ffv1",
    "flv1": "flv",
    "h261": "h261",
    "h263": "h263",
    "h264": "h264",
    "hevc": "hevc",
    "mjpeg": "mjpeg",
    "mpeg1video": "mpeg1video",
    "mpeg2video": "mpeg2video",
    "mpeg4": "mpeg4",
    "msmpeg4v1": "msmpeg4v1",
    "msmpeg4v2": "msmpeg4v2",
    "msmpeg4v3": "msmpeg4",
    "mss2": "mss2",
    "prores": "prores",
    "qtrle": "qtrle",
    "rawvideo": "rawvideo",
    "svq1": "svq1",
    "svq3": "svq3",
    "theora": "theora",
    "vc1": "vc1",
    "vp6a": "vp6a",
    "vp6f": "vp6f",
    "vp8": "vp8",
    "vp9": "vp9",
    "vvc": "vvc",
    "wmv1": "wmv1",
    "wmv2": "wmv2",
    "wmv3": "wmv3",
}
"""ffmpeg's decoders of each allowed video codec."""

AUDIO_DECODERS = {
    "aac": "aac",
    "aac_latm": "aac_latm",
    "ac3": "ac3",
    "adpcm_ima_qt": "adpcm_ima_qt",
    "adpcm_ima_wav": "adpcm_ima_wav",
    "adpcm_g722": "g722",
    "adpcm_g726": "g726",
    "adpcm_ms": "adpcm_ms",
    "adpcm_swf": "adpcm_swf",
    "adpcm_yamaha": "adpcm_yamaha",
    "alac": "alac",
    "amr_nb": "amrnb",
    "amr_wb": "amrwb",
    "atrac3": "atrac3",
    "atrac3p": "atrac3plus",
    "cook": "cook",
    "dts": "dca",
    "eac3": "eac3",
    "flac": "flac",
    "g723_1": "g723_1",
    "gsm": "gsm",
    "gsm_ms": "gsm_ms",
    "mace3": "mace3",
    "mace6": "mace6",
    "mlp": "mlp",
    "mp1": "mp1float,mp1",
    "mp2": "mp2float,mp2",
    "mp3": "mp3float,mp3",
    "nellymoser": "nellymoser",
    "opus": "opus,libopus",
    "pcm_alaw": "pcm_alaw",
    "pcm_bluray": "pcm_bluray",
    "pcm_dvd": "pcm_dvd",
    "pcm_f32be": "pcm_f32be",
    "pcm_f32le": "pcm_f32le",
    "pcm_f64be": "pcm_f64be",
    "pcm_f64le": "pcm_f64le",
    "pcm_mulaw": "pcm_mulaw",
    "pcm_s16be": "pcm_s16be",
    "pcm_s16le": "pcm_s16le",
    "pcm_s24be": "pcm_s24be",
    "pcm_s24le": "pcm_s24le",
    "pcm_s32be": "pcm_s32be",
    "pcm_s32le": "pcm_s32le",
    "pcm_s8": "pcm_s8",
    "pcm_u8": "pcm_u8",
    "qdm2": "qdm2",
    "qdmc": "qdmc",
    "s302m": "s302m",
    "speex": "speex,libspeex",
    "truehd": "truehd",
    "tta": "tta",
    "vorbis": "vorbis",
    "wavpack": "wavpack",
    "wmalossless": "wmalossless",
    "wmapro": "wmapro",
    "wmav1": "wmav1",
    "wmav2": "wmav2",
    "wmavoice": "wmavoice",
}
"""ffmpeg's decoders of each allowed audio codec."""

DECODERS = ",".join([*VIDEO_DECODERS.values(), *AUDIO_DECODERS.values()])
"""All allowed decoders, in the form of ffmpeg's `-codec_whitelist`."""

SUBTITLE_DECODERS = ",".join(
    ("ass", "dvbsub", "dvdsub", "mov_text", "pgssub", "srt", "ssa", "subrip", "text", "webvtt", "xsub", "ccaption")
)
"""Decoders of subtitles that a video may have beside video and audio; `-codec_whitelist` of ffprobe."""

FIXED_AUDIO = frozenset({"alac", "flac", "opus", "vorbis"})
"""Audio codecs whose format is that of the container's header, if the container has one, and cannot change."""
