"""What a program in the sandbox may not do, tried by one that does: Python, in place of ffmpeg."""

import asyncio
import platform
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from transcode import Limits, Tools, TranscodeError
from transcode.process.ffmpeg import Confinement, run
from transcode.process.sandbox import Sandbox
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
NUMBERS = {"x86_64": {"ptrace": 101, "bpf": 321, "keyctl": 250}, "aarch64": {"ptrace": 117, "bpf": 280, "keyctl": 219}}


OPEN_ELSE = ["fork", "spawn", "internet", "netlink", "link", "hard link", "FIFO", "folder"]


async def attempt(sandbox: Sandbox, code: str, out: Path) -> None:
    text = BEGIN + "try:\n  " + code.format(**NUMBERS[platform.machine()])
    text += "\nexcept OSError as e:\n  raise SystemExit(f'refused as {e.errno}')\n"
    # Python itself may be elsewhere than in /usr.
    home = sys.base_prefix
    sandbox = replace(sandbox, bwrap=(*sandbox.bwrap, "--ro-bind", home, home))
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


def test_this_machine_has_all_of_it(tools: Tools) -> None:
    assert tools.sandbox.weaknesses == ()
    assert "--disable-userns" in tools.sandbox.bwrap
    assert tools.sandbox.seccomp == seccomp_filter()


def test_a_filter_returns_wherever_it_is_left() -> None:
    for machine in ("x86_64", "aarch64"):
        program = list(struct.iter_unpack("=HBBI", seccomp_filter(machine)))
        jumps = {0x15, 0x35, 0x45}
        for at, (code, yes, no, _) in enumerate(program):
            if code in jumps:
                assert at + 1 + max(yes, no) < len(program)
        assert program[-1][0] == 0x06
    assert seccomp_filter("mips") == b""
