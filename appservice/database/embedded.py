"""Runs a PostgreSQL of our own, for a service (or a test) that was given none.

How it stays safe (PostgreSQL documentation, "Creating a Database Cluster" and "Shutting Down the Server"):

- Only a unix socket in a folder of mode 0700; no network, so `trust` means "this user".
- Root starts it as `nobody`, because PostgreSQL refuses root. It gets its folder as an open file descriptor and calls
  it /proc/self/fd/N, so the way to that folder may be closed to `nobody`, and of any length.
- The kernel sends it SIGQUIT when its owner dies (PR_SET_PDEATHSIG), also after `kill -9`. The next start recovers
  from the write-ahead log: fsync stays on.
- A lock on the folder is held by the owner and, through the inherited descriptor, by each PostgreSQL process: whoever
  gets it knows that no earlier server of this folder is alive.
"""

import asyncio
import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import threading
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from appservice.core.errors import EmbeddedPostgresError
from appservice.database import binaries

_INIT_SECONDS = 120.0
_START_SECONDS = 120.0  # includes recovery after a crash
_STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))  # fast, immediate, last resort
_POLL_SECONDS = 0.01
_SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path without its closing zero (unix(7))
_PORT = 5432  # only part of the socket's name
_SOCKET = f".s.PGSQL.{_PORT}"
_ADDRESS = "address"  # the file that has for other processes of ours where the server is, while it is ready
# The owner may die before the death signal is armed: then the parent is already another one.
_UNLESS_ORPHANED = ("sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


class EmbeddedPostgres:
    """One PostgreSQL server that lives as long as this object is open (an async context manager).

    `directory` is made when it does not exist; it holds the database (`cluster/`), the log of the last
    run (`postgres.log`) and the server's `address`. Start it from the main thread: the death signal follows the
    thread that forked. `patience` is how many seconds an earlier server of this folder, killed with its owner, gets to
    go down.
    """

    def __init__(self, directory: Path, *, patience: float = 20.0) -> None:
        self._directory = directory.absolute()
        self._patience = patience
        self._cluster = self._directory / "cluster"
        self._log = self._directory / "postgres.log"
        self._descriptors: list[int] = []
        self._process: Process | None = None
        self._dsn = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def dsn(self) -> str:
        """The address for asyncpg and libpq, valid while the server runs: user and database are `postgres`."""
        return self._dsn

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, None when it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Make the database when there is none, start the server, return when it takes connections.

        Raises EmbeddedPostgresError; nothing is left running then.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresError("Start the embedded PostgreSQL from the main thread.")
        try:
            await self._start()
        except OSError as error:
            await self.stop()
            raise EmbeddedPostgresError(
                f"The database folder {self._directory} cannot be used ({error}). "
                "Make it writable for the user that runs Roomreel, or configure another one."
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Return the server's exit status once it has ended, by `stop` or by itself."""
        if self._process is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL was not started.")
        return await self._process.wait()

    async def stop(self) -> None:
        """Disconnect the clients, write everything out, end the server. Harmless when it does not run."""
        try:
            if self._process:
                await _end(self._process)
        finally:
            while self._descriptors:
                os.close(self._descriptors.pop())

    async def _start(self) -> None:
        programs = await asyncio.to_thread(_programs)
        lock = await asyncio.to_thread(self._open, self._directory)
        await self._lock(lock)
        if not await asyncio.to_thread(self._cluster.is_dir):
            await self._initdb(programs, lock)
        cluster = await asyncio.to_thread(self._open, self._cluster)
        await asyncio.to_thread(_clear_left_over, self._directory)
        where = f"/proc/self/fd/{cluster}"
        settings = ("listen_addresses=", "unix_socket_permissions=0700", "log_checkpoints=off")
        with await asyncio.to_thread(self._log.open, "wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_as_owner(self._cluster), str(programs / "postgres"), "-D", where, "-k", where, "-p", str(_PORT),
                *(word for setting in settings for word in ("-c", setting)),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(), cwd="/",
                pass_fds=(lock, cluster),
                start_new_session=True,  # Ctrl-C in the terminal is for us, and we then stop it
            )  # fmt: skip
        await self._ready(self._process)
        self._dsn = _dsn(self._cluster, cluster)
        await asyncio.to_thread((self._directory / _ADDRESS).write_text, self._dsn)

    async def _lock(self, descriptor: int) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not _try_lock(descriptor):  # noqa: ASYNC110 - nothing notifies when a file lock is free
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise EmbeddedPostgresError(
                f"The database folder {self._directory} is in use by another Roomreel. Stop that one, give it "
                "its own folder, or let both use one PostgreSQL server (`database` in the configuration)."
            ) from error

    def _open(self, folder: Path) -> int:
        """Open a folder (made with mode 0700 when absent) until `stop`; the descriptor is ours to pass on."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._descriptors.append(descriptor)
        return descriptor

    async def _initdb(self, programs: Path, lock: int) -> None:
        """Make the database under another name first: what a killed initdb leaves must not pass for one."""
        fresh = self._directory / "initdb"
        descriptor = await asyncio.to_thread(self._fresh, fresh)
        process = await asyncio.create_subprocess_exec(
            *_as_owner(fresh), str(programs / "initdb"), "-D", f"/proc/self/fd/{descriptor}", "--username=postgres",
            "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=_environment(), cwd="/", pass_fds=(lock, descriptor), start_new_session=True,
        )  # fmt: skip
        self._process = process
        try:
            async with asyncio.timeout(_INIT_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError as error:
            raise EmbeddedPostgresError(f"initdb took longer than {_INIT_SECONDS:.0f} s; is the disk busy?") from error
        if process.returncode:
            raise EmbeddedPostgresError(f"initdb failed in {self._directory}: {_tail(output)}")
        await asyncio.to_thread(fresh.rename, self._cluster)

    def _fresh(self, folder: Path) -> int:
        user = _user()
        if folder.exists():
            shutil.rmtree(folder)
        descriptor = self._open(folder)
        os.chown(descriptor, user.pw_uid, -1 if os.geteuid() else user.pw_gid)
        return descriptor

    async def _ready(self, process: Process) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await asyncio.to_thread(_says_ready, self._cluster, process.pid):
                    if process.returncode is not None:
                        log = await asyncio.to_thread(self._log.read_bytes)
                        raise EmbeddedPostgresError(f"PostgreSQL did not start: {_tail(log)} (log: {self._log})")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL was not ready after {_START_SECONDS:.0f} s; its log {self._log} says why."
            ) from error


def running_dsn(directory: Path) -> str | None:
    """Return the address of the server that another process runs in `directory`, None when none is ready there."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        # Who can take the lock knows that the address was left behind.
        return None if _try_lock(descriptor) else (directory / _ADDRESS).read_text() or None
    except FileNotFoundError:
        return None
    finally:
        os.close(descriptor)


def _programs() -> Path:
    if shutil.which("setpriv") is None:
        raise EmbeddedPostgresError("The program `setpriv` is missing: install the package util-linux.")
    programs = binaries.installed()
    return binaries.for_everybody(programs) if os.geteuid() == 0 else programs


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear_left_over(directory: Path) -> None:
    """Remove what a killed server left: its address, and its lock files.

    PostgreSQL believes those when their process id lives again, as happens in containers, where ids start from 1
    each time. Our lock on the folder says that no server of ours is alive; one that a person started by hand is
    recognised by its working directory.
    """
    (directory / _ADDRESS).unlink(missing_ok=True)
    cluster = directory / "cluster"
    for name in ("postmaster.pid", f"{_SOCKET}.lock"):
        file = cluster / name
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            pid = int(file.read_text().splitlines()[0])
            with contextlib.suppress(FileNotFoundError, PermissionError):
                if Path(f"/proc/{pid}/cwd").samefile(cluster):
                    raise EmbeddedPostgresError(f"A PostgreSQL (process {pid}) runs in {cluster}: stop it first.")
            file.unlink()


def _as_owner(folder: Path) -> tuple[str, ...]:
    """Return the words before a command that make it run as the folder's owner and die with this process.

    setpriv arms the death signal after the change of user; the kernel clears one armed before (prctl(2)).
    """
    words: tuple[str, ...] = ("setpriv", "--pdeathsig", "QUIT")
    if os.geteuid() == 0:
        owner = folder.stat()
        words += ("--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups")
    return (*words, *_UNLESS_ORPHANED, str(os.getpid()))


def _user() -> pwd.struct_passwd:
    """Return whom a new database is to belong to: root is refused by PostgreSQL, an id without a name by initdb."""
    try:
        return pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL cannot be started by user id {os.geteuid()}: it needs a user in /etc/passwd "
            "(root needs `nobody`). Add it, or configure a PostgreSQL server as `database`."
        ) from error


def _environment() -> dict[str, str]:
    # Nothing of ours: PG* variables would change the server, and secrets are none of its business.
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _says_ready(cluster: Path, pid: int) -> bool:
    """Read the status line of postmaster.pid, as `pg_ctl --wait` does (pg_ctl.c, wait_for_postmaster_start)."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _dsn(cluster: Path, descriptor: int) -> str:
    """Name the socket's folder by its path, or by our open descriptor when the path is too long for a socket."""
    fits = len(os.fsencode(cluster / _SOCKET)) <= _SOCKET_PATH_BYTES
    folder = str(cluster) if fits else f"/proc/{os.getpid()}/fd/{descriptor}"
    return f"postgresql://postgres@/postgres?host={quote(folder, safe='')}&port={_PORT}"


async def _end(process: Process) -> None:
    for step, seconds in _STOP_STEPS:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(step)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()


def _tail(output: bytes) -> str:
    return " | ".join(output.decode(errors="replace").strip().splitlines()[-4:])
