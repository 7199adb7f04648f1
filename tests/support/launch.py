"""Start `roomreel …` for tests: as a command, or as a fork of a process that has imported everything already.

Imports and catalogues take a processor two or three seconds, and the tests start the service and its commands hundreds
of times. So each test process keeps one process, this module run as a program, that reads everything once, has neither
threads nor an event loop, and forks for each start. The child gets the arguments, the environment and the streams of
the start and then calls what `roomreel` calls. `execute` starts the real command: tests take it where the command
itself, its memory or what it is wrapped in is their subject, and measurements always do.
"""

import asyncio
import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).parents[2]
_MOST_BYTES = 2**17  # of a start: its arguments and environment
_STREAMS = 3  # stdout, stderr, and where its id and its exit code are reported


class Process(Protocol):
    """A process that was started, as asyncio has them."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, signal: int) -> None: ...
    async def wait(self) -> int: ...


class Launch(Protocol):
    """Starts `roomreel` with arguments, in a session of its own; its output goes to files."""

    def __call__(
        self, *arguments: str, stdout: IO[bytes], stderr: IO[bytes], env: Mapping[str, str] | None = None
    ) -> Awaitable[Process]: ...


async def execute(
    *arguments: str,
    stdout: IO[bytes],
    stderr: IO[bytes],
    env: Mapping[str, str] | None = None,
    runs_in: tuple[str, ...] = (sys.executable,),
) -> Process:
    """Start the real command; `runs_in` is the start of a command that becomes Python, with its options."""
    return await asyncio.create_subprocess_exec(
        *runs_in, "-m", "appservice", *arguments, cwd=ROOT, env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
    )  # fmt: skip


async def fork(*arguments: str, stdout: IO[bytes], stderr: IO[bytes], env: Mapping[str, str] | None = None) -> Process:
    """Start what the command would do, without its imports."""
    start = json.dumps({"arguments": arguments, "env": {**os.environ, **(env or {})}})
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(_server(), [start.encode()], [stdout.fileno(), stderr.fileno(), theirs.fileno()])
    reports, connection = await asyncio.open_connection(sock=ours)
    return _Forked(int(await reports.readline()), reports, connection)


class _Forked:
    def __init__(self, pid: int, reports: asyncio.StreamReader, connection: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = asyncio.create_task(self._wait(reports, connection))

    async def _wait(self, reports: asyncio.StreamReader, connection: asyncio.StreamWriter) -> int:
        with contextlib.closing(connection):
            self.returncode = int(await reports.readline())
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    async def wait(self) -> int:
        return await asyncio.shield(self._end)


@cache
def _server() -> socket.socket:
    """Start the process that forks, and return its control socket; when that closes, all of it ends."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours


# The process that forks


def _prepare() -> None:
    """Import all modules of all commands, lazy ones too, and read the message catalogues."""
    # A collection would copy these pages in every child.
    gc.disable()
    import appservice.__main__
    import appservice.check
    import appservice.operator_commands
    import appservice.registration
    import appservice.wiring  # noqa: F401
    from appservice import resources
    from appservice.core.languages import LANGUAGES
    from appservice.i18n import Texts

    for language in LANGUAGES:
        Texts(resources.locales(), language)
    gc.freeze()


def _serve(control: socket.socket) -> list[str] | None:
    """Fork for each start until the control socket closes. Returns in each child, with its arguments."""
    children: dict[int, tuple[int, int]] = {}  # by their pidfds: their ids, and where their exit codes are reported
    while True:
        for ready in select.select([control.fileno(), *children], [], [])[0]:
            if ready in children:
                _report_end(ready, *children.pop(ready))
                continue
            message, streams, _, _ = socket.recv_fds(control, _MOST_BYTES, _STREAMS)
            if not message:
                for pid, _ in children.values():
                    os.kill(pid, signal.SIGKILL)
                return None
            stdout, stderr, report = streams
            pid = os.fork()
            if pid == 0:
                control.close()
                for number in (report, *children, *(each for _, each in children.values())):
                    os.close(number)
                return _become(json.loads(message), stdout, stderr)
            _report(report, pid)
            os.close(stdout)
            os.close(stderr)
            children[os.pidfd_open(pid)] = pid, report


def _report(report: int, number: int) -> None:
    # Who started it may be gone.
    with contextlib.suppress(BrokenPipeError):
        os.write(report, b"%d\n" % number)


def _report_end(child: int, pid: int, report: int) -> None:
    _, status = os.waitpid(pid, 0)
    _report(report, os.waitstatus_to_exitcode(status))
    os.close(report)
    os.close(child)


def _become(start: dict[str, Any], stdout: int, stderr: int) -> list[str]:
    """Take over what a process has from its start, and return its arguments. Its stdin is ours: empty."""
    os.setsid()
    for number, stream in ((1, stdout), (2, stderr)):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(start["env"])
    Path("/proc/self/comm").write_text(" ".join(["roomreel", *start["arguments"]])[:15])
    gc.enable()
    return list(start["arguments"])


if __name__ == "__main__":
    _prepare()
    arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    if arguments is not None:
        from appservice.__main__ import main

        sys.argv[1:] = arguments
        main()
