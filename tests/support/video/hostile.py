"""The awkward files that are broken, or mean harm: cut off, damaged, without measure, or not what they say."""

import io
import zipfile
from collections.abc import Callable
from functools import partial

from tests.support.video.awkward import (
    EITHER,
    FILM,
    PHONE,
    PICTURES,
    READY,
    X264,
    Awkward,
    Workdir,
    bent,
    made,
    pictures,
    source,
    written,
)
from tests.support.video.surgery import (
    avi,
    cut,
    damaged,
    edited,
    elsewhere,
    jpeg_of_size,
    media,
    stretched,
    stuffed,
)
from transcode.mp4.boxes import box

_VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
_FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
_FAST_START = ["-movflags", "faststart"]


def _edits(*edits: tuple[float, float, float]) -> Callable[[bytes], bytes]:
    return lambda data: edited(data, *edits)


def _slides(shop: Workdir, name: str, _: str) -> bytes:
    return edited(shop.make(name, *pictures("480x360", "0.5", 6), *X264).read_bytes(), (1, 0.3, 1))


EDITS = [
    bent("index-last.mp4", "as cameras write it", bytes, size=(480, 360), seconds=1.0),
    made("index-first.mp4", "as editors write it", *PHONE, *_FAST_START),
    made("fragmented.mp4", "as browsers record", *PHONE, *_FRAGMENTS),
    made("frame-by-frame.mp4", "a fragment for each picture", *PHONE, "-movflags", "frag_every_frame+empty_moov"),
    made("indexed.mp4", "fragments with an index", *PHONE, *_FRAGMENTS, "-movflags", "+dash+global_sidx"),
    made("b-frames.mp4", "a usual edit list", *FILM, "-c:v", "libx264", "-bf", "3"),
    made("no-edits.mp4", "pictures begin late without one", *FILM, "-c:v", "libx264", "-bf", "3", "-use_editlist", "0",
         seconds=None),
    bent("stuffed.mp4", "an index of countless boxes", stuffed),
    bent("empty-edit.mp4", "a pause before everything", _edits((0.5, -1, 1), (1, 0, 1))),
    bent("empty-edits.mp4", "nothing but pauses", _edits((0.5, -1, 1), (0.5, -1, 1)), EITHER),
    bent("middle.mp4", "it begins within a group", _edits((0.7, 0.3, 1))),
    bent("cuts.mp4", "pieces in another order", _edits((0.5, 0.5, 1), (0.5, 0, 1))),
    bent("slow.mp4", "half speed", _edits((3, 0, 0.5))),
    bent("still.mp4", "a picture that stays", _edits((1, 0, 0))),
    bent("beyond.mp4", "an edit after the end", _edits((1, 5000, 1)), EITHER),
    bent("negative.mp4", "an edit before the start", _edits((1, -0.1, 1)), EITHER),
    bent("forever.mp4", "an edit of a day", _edits((80_000, 0, 1)), f"{READY} too-long"),
    bent("blink.mp4", "an edit shorter than a picture", _edits((0.02, 0.1, 1)), EITHER),
    Awkward("slides.mp4", EITHER, "an edit between two pictures", _slides, (480, 360), 1),
    bent("many-edits.mp4", "thousands of edits, each with a frame", _edits(*[(0.001, 0, 1)] * 5000),
         f"{EITHER} too-high-frame-rate"),
    Awkward("live.webm", READY, "a browser's recording: no duration, no index",
            lambda shop, _, __: shop.make("live.webm", *FILM, *_VP8, "-live", "1").read_bytes(), (480, 360), 1),
]  # fmt: skip

_CUT = partial(cut, keep=0.5)
CUT = [
    *[bent(f"cut-{percent}.mp4", "the upload ended early", partial(cut, keep=percent / 100), "broken-file",
           *_FAST_START) for percent in (1, 5, 20, 35, 50, 65, 80, 90, 97, 99)],
    bent("cut-index-last.mp4", "the recording ended early", _CUT, "broken-file"),
    bent("cut-fragments.mp4", "what there is can be played", _CUT, READY, *_FRAGMENTS),
    bent("cut.mkv", "what there is can be played", _CUT),
    bent("cut.ts", "what there is can be played", _CUT),
    bent("cut.avi", "what there is can be played", _CUT, READY, "-c:v", "mpeg4"),
    bent("cut.flv", "what there is can be played", _CUT, READY, "-ar", "44100"),
    bent("cut.webm", "what there is can be played", _CUT, READY, *_VP8),
    bent("header.webm", "nothing but a header", lambda data: data[:300], "broken-file", *_VP8),
    bent("header.mkv", "half a header", lambda data: data[:40], "broken-file"),
]  # fmt: skip


def _in_media(data: bytes, seed: int) -> bytes:
    begin, end = media(data)
    return damaged(data, seed, 40, begin, end)


def _in_index(data: bytes, seed: int) -> bytes:
    _, end = media(data)
    return damaged(data, seed, 12, end)


FLIPPED = [
    *[bent(f"pictures-{seed}.mp4", "damaged pictures", partial(_in_media, seed=seed), EITHER,
           damaged=True) for seed in range(4)],
    *[bent(f"index-{seed}.mp4", "a damaged index", partial(_in_index, seed=seed),
           f"{EITHER} too-long too-large-picture no-decoder not-a-video", damaged=True) for seed in range(10)],
    *[bent(f"bytes-{seed}{suffix}", "damaged anywhere", partial(damaged, seed=seed, count=60),
           f"{EITHER} no-decoder not-a-video", damaged=True)
      for suffix in (".mkv", ".ts", ".flv") for seed in range(2)],
]  # fmt: skip


def _apart(shop: Workdir, name: str, _: str) -> bytes:
    apart = ["-f", "lavfi", "-i", "color=s=64x64:r=1:d=2,setpts=N*72000/TB"]
    return shop.make(name, *apart, *X264, "-fps_mode", "passthrough").read_bytes()


def _photo(shop: Workdir) -> bytes:
    return shop.make("photo.jpg", *source("color=red:s=64x64", 0.04), "-frames:v", "1", "-update", "1").read_bytes()


def _claiming(width: int, height: int) -> Callable[[Workdir, str, str], bytes]:
    return lambda shop, _, __: avi(jpeg_of_size(_photo(shop), width, height), 64, 64)


BOMBS = [
    Awkward("apart.mkv", "too-long", "two pictures, 20 hours apart", _apart),
    bent("stretched.mp4", "12 hours, said to be a second", partial(stretched, length=15360 * 960),
         f"{READY} too-long", "-use_editlist", "0"),
    made("hours.mp4", "forty-five pictures, 12 hours", *source("color=s=64x64:r=1/960", 43200), *X264, ends="too-long"),
    made("million.mkv", "a million pictures a second", *source("color=s=16x16:r=1000000", 0.002), *X264,
         ends="too-high-frame-rate"),
    made("64-megapixels.mp4", "above the limit", *source("color=s=8192x8000:r=1", 1), *X264, "-x264-params",
         "ref=1:rc-lookahead=0:threads=1", ends="too-large-picture"),
    Awkward("gigapixel.avi", "broken-file", "a picture that claims to be huge", _claiming(65500, 65500)),
    Awkward("wide.avi", "too-large-picture", "header and picture claim to be wide",
            lambda shop, _, __: avi(jpeg_of_size(_photo(shop), 16000, 64), 16000, 64)),
    Awkward("panorama.avi", "broken-file", "a picture that claims to be wide", _claiming(65500, 16)),
]  # fmt: skip


def _zipped(_: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**24))
    return file.getvalue()


def _disguised(name: str, content: str) -> Awkward:
    return written(name, "not-a-video", "text", lambda url: content.replace("URL", url).encode())


def _in_avi(subtitles: str) -> Callable[[Workdir, str, str], bytes]:
    return lambda shop, _, url: avi(_photo(shop), 64, 64, subtitles.replace("URL", url).encode())


_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nURL/segment.ts\n#EXT-X-ENDLIST\n"
_CONCAT = "ffconcat version 1.0\nfile URL/video.mp4\n"
DISGUISED = [
    written("empty.mp4", "empty-file", "no bytes", lambda _: b""),
    written("one-byte.mp4", "not-a-video", "a byte", lambda _: b"\x47"),
    written("zeros.mp4", "not-a-video", "zeros", lambda _: bytes(4096)),
    written("zip.mp4", "not-a-video", "an archive", _zipped),
    _disguised("hls.mp4", _HLS),
    _disguised("concat.mp4", _CONCAT),
    _disguised("drawing.mp4", '<svg xmlns="http://www.w3.org/2000/svg"><image href="URL/x.png"/></svg>'),
    _disguised("page.mp4", '<!doctype html><video src="URL/video.mp4">'),
    _disguised("dash.mp4", '<?xml version="1.0"?><MPD><BaseURL>URL/</BaseURL></MPD>'),
    _disguised("session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    _disguised("note.mp4", "Dear diary, today I did not film anything at all. " * 50),
    _disguised("script.mp4", "#!/bin/sh\ncurl URL\n"),
    written("photo.mp4", "not-a-video", "HEIC", lambda _: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)),
    made("moving.gif", "an image", *PICTURES, "-vf", "scale=64:48", ends="not-a-video"),
    made("photo.png", "an image", *PICTURES, "-frames:v", "1", "-update", "1", ends="not-a-video"),
    written("list-in-a-box.mp4", "broken-file", "a list behind an MP4's first box",
            lambda url: box(b"ftyp", b"isom\0\0\2\0isom") + box(b"free", _HLS.replace("URL", url).encode())),
    written("list-behind-sync.ts", "broken-file", "a list in a transport stream",
            lambda url: b"".join(b"\x47" + (_HLS.replace("URL", url) * 4).encode()[:187] for _ in range(40))),
    written("tagged-list.mp4", "not-a-video", "a list behind an ID3 tag",
            lambda url: b"ID3\4\0\0\0\0\0\2\0\0" + _HLS.replace("URL", url).encode()),
    written("list-before-a-box.mp4", "broken-file", "a list before an MP4's first box",
            lambda url: _HLS.replace("URL", url).encode() + box(b"ftyp", b"isom\0\0\2\0isom")),
    written("script-before-sync.ts", "broken-file", "a list of files before what may be a transport stream",
            lambda url: _CONCAT.replace("URL", url).encode() + (b"\x47" + bytes(187)) * 40),
    Awkward("elsewhere-behind-bytes.mp4", f"{READY} broken-file", "samples said to be at a URL, behind other bytes",
            lambda shop, _, url: b"\r\n" + elsewhere(shop.phone(), f"{url}/video.mp4")),
    written("nothing.mkv", "broken-file", "a Matroska header, then zeros", lambda _: b"\x1a\x45\xdf\xa3" + bytes(2000)),
    written("nothing.ogg", "broken-file", "an Ogg header, then zeros", lambda _: b"OggS" + bytes(2000)),
    written("nothing.wmv", "broken-file", "an ASF header, then zeros",
            lambda _: b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + bytes(2000)),
    written("nothing.avi", "broken-file", "an AVI header, then zeros", lambda _: b"RIFF\0\0\0\0AVI " + bytes(2000)),
    written("nothing.mpg", "broken-file", "an MPEG pack, then zeros", lambda _: b"\0\0\1\xba" + bytes(2000)),
    written("nothing.flv", "broken-file", "an FLV header, then zeros", lambda _: b"FLV\1\5\0\0\0\x09" + bytes(2000)),
    Awkward("elsewhere.mp4", f"{READY} broken-file", "samples said to be at a URL",
            lambda shop, _, url: elsewhere(shop.phone(), f"{url}/video.mp4")),
    Awkward("list-as-subtitles.avi", READY, "subtitles that are a playlist", _in_avi(_HLS)),
    Awkward("concat-as-subtitles.avi", READY, "subtitles that are a list of files", _in_avi(_CONCAT)),
]  # fmt: skip

HOSTILE = [*EDITS, *CUT, *FLIPPED, *BOMBS, *DISGUISED]
