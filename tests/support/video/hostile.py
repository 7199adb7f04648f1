"""Hostile and broken files of the corpus: truncated, corrupted, oversized, or of another type than they claim."""

import io
import zipfile
from collections.abc import Callable
from functools import partial

from tests.support.video.container_edits import (
    jpeg_with_size,
    mdat_range,
    mjpeg_avi,
    truncated,
    with_edit_list,
    with_external_samples,
    with_flipped_bits,
    with_many_boxes,
    with_sample_duration,
)
from tests.support.video.corpus_case import (
    AV,
    EITHER,
    PHONE,
    READY,
    VIDEO,
    X264,
    CorpusCase,
    Workdir,
    altered,
    encoded,
    raw,
    source,
    video,
)
from transcode.mp4.boxes import box

_VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
_FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
_FAST_START = ["-movflags", "faststart"]


def _edits(*edits: tuple[float, float, float]) -> Callable[[bytes], bytes]:
    return lambda data: with_edit_list(data, *edits)


def _slides(workdir: Workdir, name: str, _: str) -> bytes:
    return with_edit_list(workdir.make(name, *video("480x360", "0.5", 6), *X264).read_bytes(), (1, 0.3, 1))


EDITS = [
    altered("index-last.mp4", "as cameras write it", bytes, size=(480, 360), seconds=1.0),
    encoded("index-first.mp4", "as editors write it", *PHONE, *_FAST_START),
    encoded("fragmented.mp4", "as browsers record", *PHONE, *_FRAGMENTS),
    encoded("frame-by-frame.mp4", "a fragment for each frame", *PHONE, "-movflags", "frag_every_frame+empty_moov"),
    encoded("indexed.mp4", "fragments with an index", *PHONE, *_FRAGMENTS, "-movflags", "+dash+global_sidx"),
    encoded("b-frames.mp4", "a usual edit list", *AV, "-c:v", "libx264", "-bf", "3"),
    encoded("no-edits.mp4", "video starts late without", *AV, "-c:v", "libx264", "-bf", "3", "-use_editlist", "0",
         seconds=None),
    altered("stuffed.mp4", "an index of countless boxes", with_many_boxes),
    altered("empty-edit.mp4", "a pause before everything", _edits((0.5, -1, 1), (1, 0, 1))),
    altered("empty-edits.mp4", "nothing but pauses", _edits((0.5, -1, 1), (0.5, -1, 1)), EITHER),
    altered("middle.mp4", "it starts within a group", _edits((0.7, 0.3, 1))),
    altered("cuts.mp4", "pieces in another order", _edits((0.5, 0.5, 1), (0.5, 0, 1))),
    altered("slow.mp4", "half speed", _edits((3, 0, 0.5))),
    altered("still.mp4", "a frame that is held", _edits((1, 0, 0))),
    altered("beyond.mp4", "an edit after the end", _edits((1, 5000, 1)), EITHER),
    altered("negative.mp4", "an edit before the start", _edits((1, -0.1, 1)), EITHER),
    altered("forever.mp4", "an edit of a day", _edits((80_000, 0, 1)), f"{READY} too-long"),
    altered("blink.mp4", "an edit shorter than a frame", _edits((0.02, 0.1, 1)), EITHER),
    CorpusCase("slides.mp4", EITHER, "an edit between two frames", _slides, (480, 360), 1),
    altered("many-edits.mp4", "thousands of edits, each with a frame", _edits(*[(0.001, 0, 1)] * 5000),
         f"{EITHER} too-high-frame-rate"),
    CorpusCase("live.webm", READY, "a browser's recording: no duration, no index",
            lambda workdir, _, __: workdir.make("live.webm", *AV, *_VP8, "-live", "1").read_bytes(), (480, 360), 1),
]  # fmt: skip

_CUT = partial(truncated, keep=0.5)
CUT = [
    *[altered(f"cut-{percent}.mp4", "the upload ended early", partial(truncated, keep=percent / 100), "broken-file",
           *_FAST_START) for percent in (1, 5, 20, 35, 50, 65, 80, 90, 97, 99)],
    altered("cut-index-last.mp4", "the recording ended early", _CUT, "broken-file"),
    altered("cut-fragments.mp4", "what there is can be played", _CUT, READY, *_FRAGMENTS),
    altered("cut.mkv", "what there is can be played", _CUT),
    altered("cut.ts", "what there is can be played", _CUT),
    altered("cut.avi", "what there is can be played", _CUT, READY, "-c:v", "mpeg4"),
    altered("cut.flv", "what there is can be played", _CUT, READY, "-ar", "44100"),
    altered("cut.webm", "what there is can be played", _CUT, READY, *_VP8),
    altered("header.webm", "nothing but a header", lambda data: data[:300], "broken-file", *_VP8),
    altered("header.mkv", "half a header", lambda data: data[:40], "broken-file"),
]  # fmt: skip


def _in_media(data: bytes, seed: int) -> bytes:
    start, end = mdat_range(data)
    return with_flipped_bits(data, seed, 40, start, end)


def _in_index(data: bytes, seed: int) -> bytes:
    _, end = mdat_range(data)
    return with_flipped_bits(data, seed, 12, end)


FLIPPED = [
    *[altered(f"frames-{seed}.mp4", "damaged frames", partial(_in_media, seed=seed), EITHER,
           damaged=True) for seed in range(4)],
    *[altered(f"index-{seed}.mp4", "a damaged index", partial(_in_index, seed=seed),
           f"{EITHER} too-long too-large-picture no-decoder not-a-video", damaged=True) for seed in range(10)],
    *[altered(f"bytes-{seed}{suffix}", "damaged anywhere", partial(with_flipped_bits, seed=seed, count=60),
           f"{EITHER} no-decoder not-a-video", damaged=True)
      for suffix in (".mkv", ".ts", ".flv") for seed in range(2)],
]  # fmt: skip


def _apart(workdir: Workdir, name: str, _: str) -> bytes:
    apart = ["-f", "lavfi", "-i", "color=s=64x64:r=1:d=2,setpts=N*72000/TB"]
    return workdir.make(name, *apart, *X264, "-fps_mode", "passthrough").read_bytes()


def _photo(workdir: Workdir) -> bytes:
    return workdir.make("photo.jpg", *source("color=red:s=64x64", 0.04), "-frames:v", "1", "-update", "1").read_bytes()


def _claiming(width: int, height: int) -> Callable[[Workdir, str, str], bytes]:
    return lambda workdir, _, __: mjpeg_avi(jpeg_with_size(_photo(workdir), width, height), 64, 64)


BOMBS = [
    CorpusCase("apart.mkv", "too-long", "two frames, 20 hours apart", _apart),
    altered("stretched.mp4", "12 hours, said to be a second", partial(with_sample_duration, length=15360 * 960),
         f"{READY} too-long", "-use_editlist", "0"),
    encoded("hours.mp4", "45 frames, 12 hours", *source("color=s=64x64:r=1/960", 43200), *X264, ends="too-long"),
    encoded("million.mkv", "a million frames a second", *source("color=s=16x16:r=1000000", 0.002), *X264,
         ends="too-high-frame-rate"),
    encoded("64-megapixels.mp4", "above the limit", *source("color=s=8192x8000:r=1", 1), *X264, "-x264-params",
         "ref=1:rc-lookahead=0:threads=1", ends="too-large-picture"),
    CorpusCase("gigapixel.avi", "broken-file", "a frame that claims to be huge", _claiming(65500, 65500)),
    CorpusCase("wide.avi", "too-large-picture", "header and frame claim to be wide",
            lambda workdir, _, __: mjpeg_avi(jpeg_with_size(_photo(workdir), 16000, 64), 16000, 64)),
    CorpusCase("panorama.avi", "broken-file", "a frame that claims to be wide", _claiming(65500, 16)),
]  # fmt: skip


def _zipped(_: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**24))
    return file.getvalue()


def _disguised(name: str, content: str) -> CorpusCase:
    return raw(name, "not-a-video", "text", lambda url: content.replace("URL", url).encode())


def _in_avi(subtitles: str) -> Callable[[Workdir, str, str], bytes]:
    return lambda workdir, _, url: mjpeg_avi(_photo(workdir), 64, 64, subtitles.replace("URL", url).encode())


_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nURL/segment.ts\n#EXT-X-ENDLIST\n"
_CONCAT = "ffconcat version 1.0\nfile URL/video.mp4\n"
DISGUISED = [
    raw("empty.mp4", "empty-file", "no bytes", lambda _: b""),
    raw("one-byte.mp4", "not-a-video", "a byte", lambda _: b"\x47"),
    raw("zeros.mp4", "not-a-video", "zeros", lambda _: bytes(4096)),
    raw("zip.mp4", "not-a-video", "an archive", _zipped),
    _disguised("hls.mp4", _HLS),
    _disguised("concat.mp4", _CONCAT),
    _disguised("drawing.mp4", '<svg xmlns="http://www.w3.org/2000/svg"><image href="URL/x.png"/></svg>'),
    _disguised("page.mp4", '<!doctype html><video src="URL/video.mp4">'),
    _disguised("dash.mp4", '<?xml version="1.0"?><MPD><BaseURL>URL/</BaseURL></MPD>'),
    _disguised("session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    _disguised("note.mp4", "Dear diary, today I did not film anything at all. " * 50),
    _disguised("script.mp4", "#!/bin/sh\ncurl URL\n"),
    raw("photo.mp4", "not-a-video", "HEIC", lambda _: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)),
    encoded("moving.gif", "an image", *VIDEO, "-vf", "scale=64:48", ends="not-a-video"),
    encoded("photo.png", "an image", *VIDEO, "-frames:v", "1", "-update", "1", ends="not-a-video"),
    raw("list-in-a-box.mp4", "broken-file", "a list behind an MP4's first box",
            lambda url: box(b"ftyp", b"isom\0\0\2\0isom") + box(b"free", _HLS.replace("URL", url).encode())),
    raw("list-behind-sync.ts", "broken-file", "a list in a transport stream",
            lambda url: b"".join(b"\x47" + (_HLS.replace("URL", url) * 4).encode()[:187] for _ in range(40))),
    raw("tagged-list.mp4", "not-a-video", "a list behind an ID3 tag",
            lambda url: b"ID3\4\0\0\0\0\0\2\0\0" + _HLS.replace("URL", url).encode()),
    raw("list-before-a-box.mp4", "broken-file", "a list before an MP4's first box",
            lambda url: _HLS.replace("URL", url).encode() + box(b"ftyp", b"isom\0\0\2\0isom")),
    raw("script-before-sync.ts", "broken-file", "a list of files before what may be a transport stream",
            lambda url: _CONCAT.replace("URL", url).encode() + (b"\x47" + bytes(187)) * 40),
    CorpusCase("elsewhere-behind-bytes.mp4", f"{READY} broken-file", "samples said to be at a URL, behind other bytes",
            lambda workdir, _, url: b"\r\n" + with_external_samples(workdir.phone(), f"{url}/video.mp4")),
    raw("nothing.mkv", "broken-file", "a Matroska header, then zeros", lambda _: b"\x1a\x45\xdf\xa3" + bytes(2000)),
    raw("nothing.ogg", "broken-file", "an Ogg header, then zeros", lambda _: b"OggS" + bytes(2000)),
    raw("nothing.wmv", "broken-file", "an ASF header, then zeros",
            lambda _: b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + bytes(2000)),
    raw("nothing.avi", "broken-file", "an AVI header, then zeros", lambda _: b"RIFF\0\0\0\0AVI " + bytes(2000)),
    raw("nothing.mpg", "broken-file", "an MPEG pack, then zeros", lambda _: b"\0\0\1\xba" + bytes(2000)),
    raw("nothing.flv", "broken-file", "an FLV header, then zeros", lambda _: b"FLV\1\5\0\0\0\x09" + bytes(2000)),
    CorpusCase("elsewhere.mp4", f"{READY} broken-file", "samples said to be at a URL",
            lambda workdir, _, url: with_external_samples(workdir.phone(), f"{url}/video.mp4")),
    CorpusCase("list-as-subtitles.avi", READY, "subtitles that are a playlist", _in_avi(_HLS)),
    CorpusCase("concat-as-subtitles.avi", READY, "subtitles that are a list of files", _in_avi(_CONCAT)),
]  # fmt: skip

HOSTILE = [*EDITS, *CUT, *FLIPPED, *BOMBS, *DISGUISED]
