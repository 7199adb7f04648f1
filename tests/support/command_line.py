"""Run `roomreel …` to its end, as an operator does."""

import asyncio
import tempfile
from pathlib import Path

from tests.support.installation import Installation
from tests.support.launch import Launch, fork


async def roomreel(*args: str | Path, env: dict[str, str] | None = None, launch: Launch = fork) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, output and errors."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = await launch(*map(str, args), stdout=output, stderr=errors, env=env)
        async with asyncio.timeout(60):
            code = await process.wait()
        output.seek(0)
        errors.seek(0)
        said, complaints = output.read().decode(), errors.read().decode()
    assert "Traceback" not in complaints, complaints
    return code, said, complaints


async def findings(installation: Installation) -> tuple[int, dict[str, tuple[str, str]]]:
    """Run `check`; return its exit code, and of each part the verdict (ok, warn, FAIL) and what is said of it."""
    code, output, _ = await roomreel("check", "-c", installation.config)
    found = {}
    for line in output.splitlines():
        part, said = line[6:].split(": ", 1)
        found[part] = line[:4].strip(), said
    assert {verdict for verdict, _ in found.values()} <= {"ok", "warn", "FAIL"}
    return code, found
