"""Requests as many as a server answers, by wrk: a list of paths in turn, over a few connections."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS, CONNECTIONS = 2, 16
SERVER_CORE, LOAD_CORE = "0", "1"
"""Where servers run, and where their load is made: one never takes the other's time."""

ON_SERVER_CORE = ("taskset", "-c", SERVER_CORE)
_SCRIPT = """
local requests, number = {}, 0
function init(arguments)
    for path in io.lines(arguments[1]) do requests[#requests + 1] = wrk.format("GET", path) end
end
function request()
    number = number % #requests + 1
    return requests[number]
end
"""


@dataclass(frozen=True)
class Load:
    """Paths of a server that are requested in turn."""

    url: str
    paths: Sequence[str]

    async def rate(self, folder: Path) -> float:
        """Return how many requests were answered in a second. Each must be, and with a 2xx."""
        script, paths = folder / "load.lua", folder / "paths"
        script.write_text(_SCRIPT)
        paths.write_text("\n".join(self.paths) + "\n")
        process = await asyncio.create_subprocess_exec(
            "taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script, self.url, "--",
            paths, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        found = re.search(r"Requests/sec:\s*([\d.]+)", output)
        assert found, output
        assert "Non-2xx" not in output, output
        assert "Socket errors" not in output, output
        return float(found[1])
