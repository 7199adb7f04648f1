"""Make short synthetic clips of many kinds, each from a number by ffmpeg's sources, and re-encode them in many ways."""

import random
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from transcode import Tools

RATE = 24
SIZE = 320, 240


def source_graph(number: int, width: int = SIZE[0], height: int = SIZE[1]) -> str:
    """Return the lavfi graph of a clip: other content for each number, the kinds by turns."""
    rng = random.Random(number)  # noqa: S311 - the same clip each time
    make = _KINDS[number % len(_KINDS)]
    return f"{make(rng, f'{width}x{height}')},scale={width}:{height},setsar=1,fps={RATE},format=yuv420p"


def make_synthetic_clips(
    tools: Tools, folder: Path, numbers: Iterable[int], *, seconds: float, size: tuple[int, int]
) -> None:
    """Write each clip to `folder`/NUMBER.mp4, many by one process."""
    some = list(numbers)
    for start in range(0, len(some), _AT_ONCE):
        line: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", "-y"]
        for number in some[start : start + _AT_ONCE]:
            line += ["-f", "lavfi", "-i", source_graph(number, *size)]
        for index, number in enumerate(some[start : start + _AT_ONCE]):
            line += ["-map", f"{index}:v", "-t", str(seconds), *_GOOD, folder / f"{number}.mp4"]
        subprocess.run(line, check=True)


def reencode(tools: Tools, source: Path, folder: Path, kinds: Iterable[str]) -> dict[str, Path]:
    """Re-encode a file in some ways of ENCODINGS, by one process; return the new files by the ways' names."""
    line: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", "-y", "-i", source]
    made = {}
    for kind in kinds:
        suffix, arguments = ENCODINGS[kind]
        made[kind] = folder / f"{source.stem}-{kind.replace(' ', '-')}.{suffix}"
        line += [*arguments, made[kind]]
    subprocess.run(line, check=True)
    return made


_AT_ONCE = 20
_FAST = "-c:v", "libx264", "-preset", "ultrafast"
_GOOD = (*_FAST, "-crf", "20", "-g", "48")
_CROP = "crop=trunc(iw*0.48)*2:trunc(ih*0.48)*2"

ENCODINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "low bit rate": ("mp4", ("-c:v", "libx264", "-preset", "superfast", "-crf", "42")),
    "half size": ("mp4", ("-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2", *_FAST, "-crf", "26")),
    "crop 2 %": ("mp4", ("-vf", _CROP, *_FAST, "-crf", "26")),
    "WebM": ("webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0")),
    "Matroska": ("mkv", ("-c:v", "mpeg4", "-q:v", "9")),
    "HEVC": ("mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "34", "-x265-params", "log-level=none")),
    "30 fps": ("mp4", ("-r", "30", *_FAST, "-crf", "30")),
    "brighter": ("mp4", ("-vf", "lutyuv=y=clip(val*1.05\\,16\\,235)", *_FAST, "-crf", "28")),
    "darker": ("mp4", ("-vf", "lutyuv=y=val*0.95", *_FAST, "-crf", "28")),
}
"""Ways to encode a copy: the suffix and the output's arguments."""


def _test_source(rng: random.Random, size: str) -> str:
    return f"testsrc2=size={size}:rate={RATE},{_part(rng)}"


def _mandelbrot(rng: random.Random, size: str) -> str:
    x, y = rng.choice(
        [(-0.743643887, -0.131825904), (-1.25066, 0.02012), (-0.1011, 0.9563), (-0.748, 0.1), (0.28, 0.0085)]
    )
    start, end = rng.uniform(0.2, 2.0), rng.uniform(0.005, 0.1)
    drawn = f"mandelbrot=size={size}:rate={RATE}:start_x={x}:start_y={y}:start_scale={start:.3f}:end_scale={end:.4f}"
    return f"{drawn}:end_pts=120,{_part(rng)}"


def _life(rng: random.Random, _: str) -> str:
    cells = rng.choice(["32x24", "64x48", "80x60"])
    seed, ratio = rng.randrange(2**31), rng.uniform(0.2, 0.6)
    colours = "life_color=#C0FFC0:death_color=#203060"
    return f"life=size={cells}:seed={seed}:ratio={ratio:.2f}:rate={RATE // 2}:mold=10:{colours}"


def _automaton(rng: random.Random, _: str) -> str:
    rule, seed = rng.choice([18, 30, 45, 60, 73, 90, 105, 110, 126, 150]), rng.randrange(2**31)
    ratio = rng.uniform(0.2, 0.6)
    return f"cellauto=size=64x48:rate={RATE}:rule={rule}:random_seed={seed}:random_fill_ratio={ratio:.2f}"


def _gradients(rng: random.Random, size: str) -> str:
    kind = rng.choice(["linear", "radial", "circular", "spiral", "square"])
    colours, seed = rng.randint(3, 8), rng.randrange(2**31)
    return f"gradients=size={size}:rate={RATE}:n={colours}:seed={seed}:type={kind}:speed=0.02"


def _bars(rng: random.Random, size: str) -> str:
    bars = rng.choice(["smptebars", "smptehdbars", "pal75bars", "testsrc", "yuvtestsrc"])
    return f"{bars}=size={size}:rate={RATE}{_boxes(rng, 4)}"


def _drawn(rng: random.Random, size: str) -> str:
    return f"color=size={size}:rate={RATE}:color={_colour(rng)}{_boxes(rng, 12)}"


def _clouds(rng: random.Random, size: str) -> str:
    seed, octaves = rng.randrange(2**31), rng.randint(1, 5)
    drawn = f"perlin=size={size}:rate={RATE}:octaves={octaves}:xscale=4:yscale=3:tscale=0.5"
    return f"{drawn}:random_mode=seed:random_seed={seed}"


def _camera(rng: random.Random, size: str) -> str:
    """Pan over a image image of blurred noise."""
    blur, seed = rng.uniform(4, 20), rng.randrange(2**31)
    image = f"color=size={size}:rate={RATE}:color=gray,noise=alls=100:all_seed={seed},trim=end_frame=1,loop=-1:1"
    return f"{image},setpts=N/{RATE}/TB,gblur={blur:.1f},normalize,scroll=h={rng.uniform(-0.01, 0.01):.4f}:v=0.003"


def _triangles(rng: random.Random, size: str) -> str:
    kind = rng.choice(["carpet", "triangle"])
    seed, jump = rng.randrange(2**31), rng.randint(1, 60)
    return f"sierpinski=size={size}:rate={RATE}:type={kind}:seed={seed}:jump={jump},{_part(rng)}"


def _zoom(rng: random.Random, size: str) -> str:
    x, y = rng.random(), rng.random()
    return (
        f"{_drawn(rng, size)},trim=end_frame=1,loop=-1:1,setpts=N/{RATE}/TB,"
        f"zoompan=z=1.1+0.005*in:x=(iw-iw/zoom)*{x:.3f}:y=(ih-ih/zoom)*{y:.3f}:d=1:s={size}:fps={RATE}"
    )


def _mix(rng: random.Random, size: str) -> str:
    over = _clouds(rng, size)
    under = rng.choice([_drawn, _gradients, _bars])(rng, size)
    return (
        f"{under},format=gbrp[under];{over},format=gbrp[over];[under][over]blend=all_mode=average,noise=alls=20:allf=t"
    )


def _part(rng: random.Random) -> str:
    """Rotate the frame by any angle and crop it."""
    wide, high = rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.8)
    x, y, turn = rng.random(), rng.random(), rng.uniform(0, 6.28)
    return f"rotate={turn:.3f},crop=iw*{wide:.3f}:ih*{high:.3f}:(iw-ow)*{x:.3f}:(ih-oh)*{y:.3f}"


def _boxes(rng: random.Random, count: int) -> str:
    drawn = ""
    for _ in range(count):
        wide, high = rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5)
        x, y = rng.uniform(0, 1 - wide), rng.uniform(0, 1 - high)
        dx, speed = rng.uniform(0.05, 0.3), rng.uniform(0.5, 3)
        drawn += (
            f",drawbox=x=iw*({x:.3f}+{dx:.3f}*sin({speed:.2f}*t)):y=ih*({y:.3f}+{dx:.3f}*cos({speed:.2f}*t))"
            f":w=iw*{wide:.3f}:h=ih*{high:.3f}:c={_colour(rng)}:t=fill"
        )
    return drawn


def _colour(rng: random.Random) -> str:
    return f"#{rng.randrange(2**24):06x}"


_KINDS: tuple[Callable[[random.Random, str], str], ...] = (
    _test_source, _mandelbrot, _life, _automaton, _gradients, _bars, _drawn, _clouds, _camera, _triangles, _zoom, _mix,
)  # fmt: skip
