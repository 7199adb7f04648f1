"""What only the sandbox prevents: ffmpeg is called with unsafe options on files that abuse them.

Every escape is first shown to succeed without the sandbox; else a test would prove nothing.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, without_bubblewrap
from transcode import Limits, Tools, TranscodeError
from transcode.process import confine
from transcode.process.ffmpeg import Confinement, run
from transcode.process.sandbox import NONE, Sandbox, find_sandbox

UNSAFE = ["-v", "error", "-y", "-protocol_whitelist", "file,http,tcp,unix,crypto,data,subfile,concat"]
LISTS = {
    "hls": (
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
        ["-allowed_extensions", "ALL", "-extension_picky", "0"],
    ),
    "concat": ("ffconcat version 1.0\nfile '{}'\n", ["-safe", "0"]),
}
SECRET = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "libx264", "-preset", "ultrafast"]
GRAY = ["-f", "lavfi", "-i", "color=gray:s=64x64:d=1"]


@pytest.fixture(scope="session")
def bubblewrapped(tools: Tools) -> Sandbox:
    assert tools.sandbox.bwrap, f"bubblewrap must be installed, and must work: {tools.sandbox.weaknesses}"
    return tools.sandbox


@pytest.fixture
def landlocked(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """What is used where bubblewrap is missing, or allowed no namespaces."""
    assert confine.version(), "the kernel must have Landlock (Linux 5.13), and no container around us may refuse it"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(without_bubblewrap(tmp_path / "programs")))
        found = find_sandbox((tools.ffmpeg, tools.ffprobe))
    assert (found.name, found.weaknesses) == ("Landlock", ())
    return found


@pytest.fixture
def unshared(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """What is left where the kernel has no Landlock either."""
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(without_bubblewrap(tmp_path / "programs")))
        patch.setattr(confine, "version", lambda: 0)
        return find_sandbox((tools.ffmpeg, tools.ffprobe))


@pytest.fixture(params=["bubblewrapped", "landlocked"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each that keeps all of its promises."""
    found: Sandbox = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def unfiltered(bubblewrapped: Sandbox) -> Sandbox:
    """What is left where the filter of system calls does not work."""
    return replace(bubblewrapped, seccomp=b"")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


async def attempt(
    sandbox: Sandbox, command: list[object], out: Path, *reads: Path, limits: Limits | None = None
) -> TranscodeError | None:
    """Run a command inside `out` and return its error, or None."""
    deadline = asyncio.get_running_loop().time() + 30
    try:
        await run([str(part) for part in command], Confinement(sandbox, limits or Limits(), deadline, reads, out))
    except TranscodeError as error:
        return error
    return None


@pytest.mark.parametrize("kind", LISTS)
async def test_a_list_reads_no_neighbour(
    kind: str, clip: Clip, sandbox: Sandbox, tools: Tools, tmp_path: Path, out: Path
) -> None:
    secret = clip("secret.ts", *SECRET)
    text, options = LISTS[kind]
    source = tmp_path / "innocent.mp4"
    source.write_text(text.format(f"file:{secret}"))
    command = [tools.ffmpeg, *UNSAFE, "-f", kind, *options, "-i", source, "-frames:v", "1", "stolen.png"]
    assert await attempt(NONE, command, out, source) is None
    (out / "stolen.png").unlink()
    assert await attempt(sandbox, command, out, source) is not None
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("secret", "text", "trick"),
    [
        ("secret.srt", "1\n00:00:00,000 --> 00:00:01,000\nsecret\n", "subtitles={}"),
        ("secret.txt", "secret", "drawtext=textfile={}"),
    ],
)
async def test_a_filter_reads_no_neighbour(
    secret: str, text: str, trick: str, sandbox: Sandbox, tools: Tools, tmp_path: Path, out: Path
) -> None:
    path = tmp_path / secret
    path.write_text(text)
    command = [tools.ffmpeg, *UNSAFE, *GRAY, "-vf", trick.format(path), "-frames:v", "1", "stolen.png"]
    if "No such filter" in str(await attempt(NONE, command, out)):
        pytest.skip("this ffmpeg was built without the filter")
    (out / "stolen.png").unlink()
    assert await attempt(sandbox, command, out) is not None
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("place", ["/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", "/root/.profile"])
async def test_nothing_of_the_machine_is_read(
    place: str, sandbox: Sandbox, tools: Tools, tmp_path: Path, out: Path
) -> None:
    copied = [tools.ffmpeg, *UNSAFE, "-f", "data", "-i", place, "-map", "0", "-c", "copy", "-f", "data", "stolen"]
    assert await attempt(sandbox, copied, out) is not None
    assert not (out / "stolen").exists()


async def test_nothing_is_written_but_in_its_folder(sandbox: Sandbox, tools: Tools, tmp_path: Path, out: Path) -> None:
    source = tmp_path / "source"
    source.write_text("mine")
    made = [tools.ffmpeg, *UNSAFE, *GRAY, "-frames:v", "1", "-f", "rawvideo"]
    for target in (tmp_path / "left.raw", Path("/usr/left.raw"), Path("/tmp/left.raw"), Path("/dev/left.raw"), source):
        assert await attempt(sandbox, [*made, target], out, source) is not None, target
        assert target == source or not target.exists()
    assert source.read_text() == "mine"
    assert await attempt(sandbox, [*made, "right.raw"], out, source) is None
    assert (out / "right.raw").stat().st_size == 64 * 64 * 3 // 2


@pytest.mark.parametrize("mechanism", ["bubblewrapped", "unfiltered", "landlocked", "unshared"])
@pytest.mark.parametrize("kind", LISTS)
async def test_the_network_is_not_reached(
    kind: str, mechanism: str, request: pytest.FixtureRequest, tools: Tools, tmp_path: Path, out: Path
) -> None:
    sandbox: Sandbox = request.getfixturevalue(mechanism)
    calls = 0

    def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    async with await asyncio.start_server(count, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        text, options = LISTS[kind]
        source = tmp_path / "innocent.mp4"
        source.write_text(text.format(f"http://127.0.0.1:{port}/secret.ts"))
        command = [tools.ffmpeg, *UNSAFE, "-f", kind, *options, "-i", source, "-f", "null", "-"]
        await attempt(NONE, command, out, source)
        assert calls > 0
        calls = 0
        assert await attempt(sandbox, command, out, source) is not None
        # What was under way has arrived by the time that a call of our own has.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        while not calls:  # noqa: ASYNC110 - our own call counts as well
            await asyncio.sleep(0.01)
        assert calls == 1


async def test_the_folder_may_be_renamed_meanwhile(sandbox: Sandbox, tools: Tools, tmp_path: Path, out: Path) -> None:
    made = [
        tools.ffmpeg,
        *UNSAFE,
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=10:d=3",
        "-c:v",
        "libx264",
        "-g",
        "5",
    ]
    hls = [*made, "-f", "hls", "-hls_time", "0.5", "-hls_flags", "temp_file", "-hls_list_size", "0", "index.m3u8"]
    job = asyncio.create_task(attempt(sandbox, hls, out))
    async with asyncio.timeout(20):
        while not (out / "index0.ts").exists():  # noqa: ASYNC110 - files signal nothing
            await asyncio.sleep(0.02)
        assert not job.done()
        moved = tmp_path / "published" / "here"
        moved.parent.mkdir()
        out.rename(moved)
        assert await job is None
    assert not out.exists()
    assert (moved / "index5.ts").stat().st_size > 0
    assert "#EXT-X-ENDLIST" in (moved / "index.m3u8").read_text()


async def test_a_probe_sees_its_file_and_can_write_nowhere(
    sandbox: Sandbox, clip: Clip, tools: Tools, tmp_path: Path
) -> None:
    source, other = clip("source.mp4", *SECRET), clip("other.mp4", *SECRET)
    said = b""

    def hear(data: bytes) -> None:
        nonlocal said
        said += data

    async def probe(*arguments: object) -> None:
        command = [str(part) for part in (tools.ffprobe, "-v", "error", *arguments)]
        deadline = asyncio.get_running_loop().time() + 30
        await run(command, Confinement(sandbox, Limits(), deadline, (source,)), hear)

    await probe("-show_entries", "format=nb_streams", source)
    assert b"nb_streams=1" in said
    with pytest.raises(TranscodeError, match=r"No such file|Permission denied"):
        await probe(other)
    with pytest.raises(TranscodeError, match=r"Read-only file system|Permission denied"):
        await probe("-show_entries", "format=nb_streams", "-o", "/left.txt", source)


async def test_without_either_the_rest_still_holds(unshared: Sandbox, tools: Tools, out: Path) -> None:
    assert unshared.name == "unshare"
    assert any("install bubblewrap" in weakness for weakness in unshared.weaknesses)
    made = [tools.ffmpeg, *UNSAFE, *GRAY, "-frames:v", "1", "right.png"]
    assert await attempt(unshared, [*made], out) is None
    large = [tools.ffmpeg, *UNSAFE, *GRAY, "-f", "rawvideo", "large.raw"]
    error = await attempt(unshared, [*large], out, limits=Limits(output_bytes=10_000))
    assert "above the limit" in str(error)


@pytest.mark.parametrize("mechanism", ["bubblewrapped", "landlocked", "unshared"])
async def test_a_file_that_becomes_too_large_ends_the_job(
    mechanism: str, request: pytest.FixtureRequest, tools: Tools, out: Path
) -> None:
    sandbox: Sandbox = request.getfixturevalue(mechanism)
    command = [tools.ffmpeg, *UNSAFE, *GRAY, "-f", "rawvideo", "large.raw"]
    error = await attempt(sandbox, command, out, limits=Limits(output_bytes=10_000))
    assert "wrote a file above the limit" in str(error)
    assert (out / "large.raw").stat().st_size <= 10_000


def test_a_machine_with_nothing_says_so(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        patch.setattr(confine, "version", lambda: 0)
        found = find_sandbox((tools.ffmpeg, tools.ffprobe))
    assert found.name == "nothing"
    files, limits, killed = found.weaknesses
    assert "the network" in files
    assert "install prlimit" in limits
    assert "install setpriv" in killed
    assert found.wrapped(["/bin/true"], Limits()) == ["/bin/true"]


def test_what_does_not_work_is_not_used(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that allows no namespaces."""
    for name in ("bwrap", "unshare"):
        (tmp_path / name).symlink_to("/bin/false")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        patch.setattr(confine, "version", lambda: 0)
        assert find_sandbox((tools.ffmpeg, tools.ffprobe)).name == "nothing"
