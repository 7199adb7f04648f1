"""Sandbox a program: no network, no file but its inputs, no folder but that of its output, and limited resources.

bubblewrap does all of it. Where it is missing or not permitted, as in most containers, Landlock and a stricter filter
of system calls do (`confine`); where the kernel has no Landlock, `unshare` at least takes the network away.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transcode.limits import Limits
from transcode.process import confine
from transcode.process.seccomp import seccomp_filter

_PATIENCE = 20.0
_FILES = 1024
# Seconds between the soft and the hard limit of CPU time. The soft one sends a signal of its own (SIGXCPU) each second;
# a program that ignores it is killed, which looks as if memory had run out.
_CPU_GRACE = 30
_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")))
# How distributions select alternatives, and where the loader finds libraries.
_LOADER = ("/etc/alternatives", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_UNSHARE = (("--net", "--ipc", "--uts"), ("--map-root-user", "--net", "--ipc", "--uts"))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandboxing tools that work on this machine; None or empty for those that do not."""

    prlimit: str | None = None
    setpriv: str | None = None
    bwrap: tuple[str, ...] = ()
    """The start of a command that runs in bubblewrap. Empty: it is missing or does not work."""
    landlock: tuple[str, ...] = ()
    """The start of a command that runs confined by Landlock. Empty: not needed, missing, or it does not work."""
    unshare: tuple[str, ...] = ()
    """The start of a command that runs without a network. Empty: not needed, missing, or it does not work."""
    seccomp: bytes = b""
    """The filter of system calls that is loaded. Empty: there is none for this machine, or it does not work."""
    nested: bool = False
    """Whether a program in bubblewrap can create user namespaces."""

    @property
    def name(self) -> str:
        """The sandbox in use: bubblewrap, Landlock, unshare, or nothing."""
        return "bubblewrap" if self.bwrap else "Landlock" if self.landlock else "unshare" if self.unshare else "nothing"

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What a hostile file could still do on this machine, and what to install against it; a line each."""
        found = []
        if self.unshare:
            found.append(f"a flaw in ffmpeg could read the files of this user: {_ADVICE}")
        elif not (self.bwrap or self.landlock):
            found.append(f"a flaw in ffmpeg could use the files of this user, and the network: {_ADVICE}")
        if self.bwrap and not self.seccomp:
            found.append("a flaw in ffmpeg could start processes and use all of the kernel: no filter (seccomp) works")
        if self.bwrap and self.nested:
            found.append("a flaw in ffmpeg could make user namespaces: install bubblewrap 0.8 or newer")
        if not self.prlimit:
            found.append("ffmpeg's CPU time, memory and files have no limit: install prlimit (util-linux)")
        if not (self.setpriv or self.bwrap or self.landlock):
            found.append("ffmpeg goes on when Roomreel is killed: install setpriv (util-linux)")
        return tuple(found)

    def wrapped(
        self,
        command: Sequence[str],
        limits: Limits,
        *,
        reads: Sequence[Path] = (),
        folder: Path | None = None,
        devices: Sequence[str] = (),
        filters: Sequence[int] = (),
    ) -> list[str]:
        """Return the command that runs `command` in the sandbox, with nothing but what it needs.

        `reads` are files, and `folder` is its working directory, where alone it may write, all absolute; `devices` are
        files of /dev; `filters` is what `filtered` yields. `folder` may be renamed meanwhile. After a signal,
        bubblewrap returns 128 plus its number.
        """
        wrapped = []
        if self.prlimit:
            wrapped += [
                self.prlimit,
                f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + _CPU_GRACE}",
                f"--as={limits.address_space}",
                f"--fsize={limits.output_bytes}",
                f"--nofile={_FILES}",
                "--core=0",
                "--",
            ]
        loaded = [part for each in filters for part in ("--seccomp", str(each))]
        if self.bwrap:
            wrapped += [*self.bwrap, *loaded, *_visible(reads, folder, devices), "--"]
        elif self.landlock:
            wrapped += [*self.landlock, *loaded, *_allowed(reads, folder, devices), "--"]
        else:
            wrapped += self.unshare
            if self.setpriv:
                # Should we be killed ourselves, the kernel ends ffmpeg with us. A new user namespace resets that, so it
                # comes after `unshare`.
                wrapped += [self.setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"]
        return [*wrapped, *command]

    @contextmanager
    def filtered(self) -> Iterator[tuple[int, ...]]:
        """Yield the file descriptors that one process has to inherit for its filter of system calls."""
        if not self.seccomp:
            yield ()
            return
        # A pipe, which takes all of it at once: of one file, all processes would share the position.
        reading, writing = os.pipe()
        try:
            try:
                os.write(writing, self.seccomp)
            finally:
                os.close(writing)
            yield (reading,)
        finally:
            os.close(reading)


NONE = Sandbox()
"""No sandbox at all."""

_ADVICE = "install bubblewrap, and allow user namespaces"


def find_sandbox(programs: Sequence[Path]) -> Sandbox:
    """Find the best sandbox that these programs run in, which must support `-version`. Blocks for some milliseconds."""
    prlimit, setpriv, bwrap, unshare = map(shutil.which, ("prlimit", "setpriv", "bwrap", "unshare"))
    if bwrap:
        start, last = (bwrap, *_bwrap_options(programs)), ("--unshare-user", "--disable-userns")
        program = seccomp_filter()
        for candidate in (
            Sandbox(prlimit, setpriv, (*start, *last), seccomp=program),
            Sandbox(prlimit, setpriv, start, seccomp=program, nested=True),
            Sandbox(prlimit, setpriv, (*start, *last)),
            Sandbox(prlimit, setpriv, start, nested=True),
        ):
            if _works(candidate, programs):
                return candidate
    alone = seccomp_filter(alone=True)
    if alone and confine.version():
        candidate = Sandbox(prlimit, setpriv, landlock=_landlock_options(programs), seccomp=alone)
        if _works(candidate, programs):
            return candidate
    if unshare:
        for options in _UNSHARE:
            candidate = Sandbox(prlimit, setpriv, unshare=(unshare, *options, "--"))
            if _works(candidate, programs):
                return candidate
    return Sandbox(prlimit, setpriv)


def _works(sandbox: Sandbox, programs: Sequence[Path]) -> bool:
    try:
        for program in programs:
            with sandbox.filtered() as filters:
                command = sandbox.wrapped([str(program), "-version"], Limits(), filters=filters)
                subprocess.run(
                    command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=True,
                    pass_fds=filters,
                )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _bwrap_options(programs: Sequence[Path]) -> list[str]:
    # The session is new already, and one process group with us, so that all of it can be killed.
    options = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]
    for folder in _SYSTEM:
        if folder.is_symlink():
            options += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            options += ["--ro-bind", str(folder), str(folder)]
    for name in _LOADER:
        options += ["--ro-bind-try", name, name]
    # A program may be a link to another: some, like snap, depend on the name by which they are called.
    for path in dict.fromkeys(path for program in programs for path in (program, program.resolve())):
        if not any(path.is_relative_to(folder) for folder in _SYSTEM):
            options += ["--ro-bind", str(path), str(path)]
    return [*options, "--dev", "/dev"]


def _landlock_options(programs: Sequence[Path]) -> tuple[str, ...]:
    """Return the start of a command that sees what bubblewrap shows of the system, and can run these programs."""
    outside = (path for program in programs for path in (program, program.resolve()))
    seen = [*map(str, _SYSTEM), *_LOADER, *map(str, outside)]
    return (
        sys.executable, "-I", "-S", confine.__file__,
        *(part for path in dict.fromkeys(seen) for part in ("--see", path)),
        *(part for name in _DEVICES for part in ("--device", name)),
    )  # fmt: skip


def _allowed(reads: Sequence[Path], folder: Path | None, devices: Sequence[str]) -> list[str]:
    allowed = []
    if devices:
        allowed += ["--see", "/sys", "--see", "/proc"]
        for device in devices:
            allowed += ["--device", device]
    if folder:
        allowed += ["--write", str(folder)]
    for path in reads:
        allowed += ["--read", str(path)]
    return allowed


def _visible(reads: Sequence[Path], folder: Path | None, devices: Sequence[str]) -> list[str]:
    visible = []
    if devices:
        # Drivers look their hardware up in /sys, NVIDIA's in /proc too.
        visible += ["--ro-bind", "/sys", "/sys", "--proc", "/proc"]
        for device in devices:
            visible += ["--dev-bind-try", device, device]
    if folder:
        visible += ["--bind", str(folder), str(folder)]
    for path in reads:
        if folder is None or not path.is_relative_to(folder):
            visible += ["--ro-bind", str(path), str(path)]
    return [*visible, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(folder or "/")]
