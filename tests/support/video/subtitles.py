"""Files with subtitles in them, made by ffmpeg."""

import subprocess
from pathlib import Path

from transcode import Tools

CHINESE = "1\n00:00:00,500 --> 00:00:01,500\n你好，世界\n\n2\n00:00:02,000 --> 00:00:03,000\n再见 <i>明天</i>\n"
HOSTILE = (
    "1\n00:00:00,100 --> 00:00:02,000\n<script>alert('x')</script>\n<img src=x onerror=alert(1)>\n\n"
    "2\n00:00:01,000 --> 00:00:02,000\nNOTE --> 00:00.000 --> 99:99.999\nSTYLE\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8\\pos(10,20)}Above\\Nbelow {\\i1}lean{\\i0}\n"
)


def with_subtitles(
    tools: Tools,
    path: Path,
    tracks: dict[str, tuple[str, str]],
    codec: str,
    *,
    seconds: int = 4,
    video: str = "libx264",
) -> Path:
    """Write a video with tracks: the language and title of each, by the name of its file (which says its kind)."""
    line = [str(tools.ffmpeg), "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={seconds}"]
    line += ["-f", "lavfi", "-i", f"sine=440:d={seconds}"]
    maps = ["-map", "0:v", "-map", "1:a"]
    for number, (name, (language, text)) in enumerate(tracks.items()):
        file = path.parent / name
        file.write_text(text, "utf-8")
        line += ["-i", str(file)]
        maps += ["-map", f"{number + 2}:0", f"-metadata:s:s:{number}", f"language={language}"]
        maps += [f"-metadata:s:s:{number}", f"title={file.stem}"]
    encoded = [
        "-c:v",
        video,
        "-pix_fmt",
        "yuv420p",
        "-g",
        "50",
        "-c:a",
        "aac",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-c:s",
        codec,
    ]
    subprocess.run([*line, *maps, *encoded, str(path)], check=True)
    return path
