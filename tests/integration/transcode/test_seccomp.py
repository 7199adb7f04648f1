"""What a program in the sandbox may not do, tried by one that does: Python, in place of ffmpeg."""

import asyncio
import itertools
import platform
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.video.output_checks import without_bubblewrap
from transcode import Limits, Tools, TranscodeError
from transcode.process import confine
from transcode.process.ffmpeg import Confinement, run
from transcode.process.sandbox import Sandbox, find_sandbox
from transcode.process.seccomp import seccomp_filter

PYTHON = Path(sys.executable).resolve()
BEGIN = "import ctypes, os, socket, threading\nlibc = ctypes.CDLL(None, use_errno=True)\n"
BEGIN += "def checked(r):\n  if r < 0: raise OSError(ctypes.get_errno(), 'refused')\n"
BEGIN += "def call(*a): checked(libc.syscall(*a))\n"
REFUSED = {
    "fork": "os.fork()",
    "spawn": "os.posix_spawn('/bin/true', ['true'], dict())",
    "internet": "socket.socket(socket.AF_INET)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "namespace": "checked(libc.unshare(0x10000000))",
    "ptrace": "call({ptrace}, 0, 0, 0, 0)",
    "mount": "checked(libc.mount(b'none', b'.', b'tmpfs', 0, None))",
    "bpf": "call({bpf}, 0, 0, 0)",
    "io_uring": "call(425, 1, ctypes.create_string_buffer(256))",
    "keys": "call({keyctl}, 0, -3, 0)",
    "link": "os.symlink('/etc/passwd', 'poster.jpg')",
    "hard link": "open('a', 'w').close(); os.link('a', 'poster.jpg')",
    "FIFO": "os.mkfifo('poster.jpg')",
    "folder": "os.mkdir('folder')",
}
ALLOWED = {
    "thread": "t = threading.Thread(target=lambda: print('on')); t.start(); t.join()",
    "file": "open('a', 'w').write('b'); os.rename('a', 'b')",
    "unix": "socket.socket(socket.AF_UNIX).close()",
}
NUMBERS = {
    "x86_64": {"ptrace": 101, "bpf": 321, "keyctl": 250, "tgkill": 234},
    "aarch64": {"ptrace": 117, "bpf": 280, "keyctl": 219, "tgkill": 131},
}


ALONE = {
    "unix": "socket.socket(socket.AF_UNIX)",
    "kill": "os.kill(os.getppid(), 0)",
    "kill by thread": "call({tgkill}, os.getppid(), os.getppid(), 0)",
    "mode": "os.chmod('{secret}', 0o666)",
    "mode of the folder": "os.chmod('.', 0o777)",
    "times": "os.utime('{secret}')",
    "truncate": "os.truncate('{secret}', 0)",
    "attributes": "os.setxattr('{secret}', 'user.a', b'b')",
}
"""What namespaces keep out of reach, and the filter refuses where there are none: EPERM."""
OPEN_TO_LANDLOCK = ["unix", "mode", "mode of the folder", "times"]
BEYOND = {
    "read": "open('{secret}').read()",
    "write": "open('{secret}', 'a')",
    "delete": "os.remove('{secret}')",
    "list": "os.listdir('/')",
    "run": "os.execv('{secret}', ['secret'])",
    "another's memory": "open('/proc/%d/mem' % os.getppid(), 'rb')",
    "environment": "open('/proc/self/environ')",
}
"""What Landlock refuses: EACCES."""
OPEN_ELSE = ["fork", "spawn", "internet", "netlink", "link", "hard link", "FIFO", "folder"]


async def attempt(sandbox: Sandbox, code: str, out: Path, secret: Path | None = None) -> None:
    text = BEGIN + "try:\n  " + code.format(**NUMBERS[platform.machine()], secret=secret)
    text += "\nexcept OSError as e:\n  raise SystemExit(f'refused as {e.errno}')\n"
    # Python itself may be elsewhere than in /usr.
    home = sys.base_prefix
    if sandbox.bwrap:
        sandbox = replace(sandbox, bwrap=(*sandbox.bwrap, "--ro-bind", home, home))
    if sandbox.landlock:
        sandbox = replace(sandbox, landlock=(*sandbox.landlock, "--see", home))
    deadline = asyncio.get_running_loop().time() + 30
    await run([str(PYTHON), "-I", "-S", "-c", text], Confinement(sandbox, Limits(), deadline, folder=out))


@pytest.mark.parametrize("what", REFUSED)
async def test_a_program_that_was_taken_over_gets_no_further(what: str, tools: Tools, tmp_path: Path) -> None:
    if what in OPEN_ELSE:
        other = tmp_path / "other"
        other.mkdir()
        await attempt(replace(tools.sandbox, seccomp=b""), REFUSED[what], other)
    with pytest.raises(TranscodeError, match=r"refused as 1$"):
        await attempt(tools.sandbox, REFUSED[what], tmp_path)


@pytest.mark.parametrize("what", ALLOWED)
async def test_what_ffmpeg_needs_is_allowed(what: str, tools: Tools, tmp_path: Path) -> None:
    await attempt(tools.sandbox, ALLOWED[what], tmp_path)


@pytest.fixture
def landlocked(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    assert confine.version(), "the kernel must have Landlock (Linux 5.13), and no container around us may refuse it"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(without_bubblewrap(tmp_path / "programs")))
        found = find_sandbox((tools.ffmpeg, tools.ffprobe))
    assert found.landlock
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A program of the same user, outside of the sandbox."""
    path = tmp_path / "secret"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(("what", "code"), [*REFUSED.items(), *ALONE.items()])
async def test_without_namespaces_it_gets_no_further_either(
    what: str, code: str, landlocked: Sandbox, out: Path, secret: Path
) -> None:
    if what in OPEN_TO_LANDLOCK:
        await attempt(replace(landlocked, seccomp=b""), code, out, secret)
        secret.chmod(0o700)
    with pytest.raises(TranscodeError, match=r"refused as 1$"):
        await attempt(landlocked, code, out, secret)
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("#!/bin/sh\n", 0o700)


@pytest.mark.parametrize("what", BEYOND)
async def test_what_is_not_its_own_is_not_reached_without_namespaces(
    what: str, landlocked: Sandbox, out: Path, secret: Path
) -> None:
    with pytest.raises(TranscodeError, match=r"refused as 13$"):
        await attempt(landlocked, BEYOND[what], out, secret)
    assert secret.read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("what", ["thread", "file"])
async def test_what_ffmpeg_needs_is_allowed_without_namespaces(what: str, landlocked: Sandbox, out: Path) -> None:
    await attempt(landlocked, ALLOWED[what], out)


async def test_it_ends_with_who_started_it_without_namespaces(landlocked: Sandbox, out: Path) -> None:
    code = "print(libc.prctl(2, ctypes.byref(n := ctypes.c_int()))); raise SystemExit(f'signal {{n.value}}')"
    with pytest.raises(TranscodeError, match=r"signal 9$"):
        await attempt(landlocked, code, out)


@pytest.mark.parametrize(("known", "refused"), [(1, 13), (2, 14), (3, 15), (4, 15), (5, 16), (9, 16)])
def test_what_each_version_of_landlock_knows_is_refused(known: int, refused: int) -> None:
    files, tcp, scoped = confine.handled(known)
    assert files == 2**refused - 1
    assert (tcp, scoped) == (3 if known >= 4 else 0, 3 if known >= 6 else 0)


def test_this_machine_has_all_of_it(tools: Tools) -> None:
    assert tools.sandbox.weaknesses == ()
    assert "--disable-userns" in tools.sandbox.bwrap
    assert tools.sandbox.seccomp == seccomp_filter()


def test_a_filter_returns_wherever_it_is_left() -> None:
    for machine, alone in itertools.product(("x86_64", "aarch64"), (False, True)):
        program = list(struct.iter_unpack("=HBBI", seccomp_filter(machine, alone=alone)))
        jumps = {0x15, 0x35, 0x45}
        for at, (code, yes, no, _) in enumerate(program):
            if code in jumps:
                assert at + 1 + max(yes, no) < len(program)
        assert program[-1][0] == 0x06
    assert seccomp_filter("mips") == b""
