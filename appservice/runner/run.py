"""The command `roomreel runner`: jobs of one server, one at a time, until a signal."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from appservice.core.errors import ConfigError
from appservice.core.runners import is_token
from appservice.runner.client import Client, JobGoneError, RefusedError, Server, TryAgainError, connected
from appservice.runner.work import Machine, do_job
from appservice.worker.scratch import scratch_folder
from transcode import find_tools
from transcode.process.tools import usable_encoder

log = structlog.get_logger()

TOKEN_VARIABLE = "ROOMREEL_RUNNER_TOKEN"  # noqa: S105 - its name
_FIRST_S, _LONGEST_S = 1.0, 60.0


@dataclass(frozen=True)
class Options:
    """What the command line says: `token` and `token_file` in place of the environment's variable."""

    server: str
    token: str | None = None
    token_file: Path | None = None
    ca: Path | None = None
    encoder: str = "libx264"
    ffmpeg: str | None = None
    ffprobe: str | None = None
    threads: int | None = None
    scratch: Path | None = None


def token_of(options: Options, environment: Mapping[str, str] = os.environ) -> str:
    """Return the token. Raises ConfigError where there is none, or it is none."""
    found = options.token
    if found is None and options.token_file:
        try:
            found = options.token_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--token-file {options.token_file} cannot be read: {error}") from error
    token = (found or environment.get(TOKEN_VARIABLE, "")).strip()
    if not token:
        raise ConfigError(f"A runner needs a token: --token-file, {TOKEN_VARIABLE} or --token.")
    if not is_token(token):
        raise ConfigError("That is not a runner's token: `roomreel admin -c FILE runners add NAME` prints one.")
    return token


async def run(options: Options) -> None:
    """Do jobs until a signal. Raises ConfigError, and RevokedError once the server does not know the token."""
    server = Server(options.server, token_of(options), options.ca)
    server.check()
    tools = await asyncio.to_thread(find_tools, options.ffmpeg, options.ffprobe)
    encoder, problem = await asyncio.to_thread(usable_encoder, tools, options.encoder)
    if problem:
        log.warning("encoder_replaced", wanted=options.encoder, used=encoder, reason=problem)
    for weakness in tools.sandbox.weaknesses:
        log.warning("sandbox_weak", reason=weakness)
    root = options.scratch or Path(tempfile.gettempdir()) / f"roomreel-runner-{os.getuid()}"
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with scratch_folder(root) as scratch:
        async with connected(server) as client:
            log.info("runner_started", server=server.url, encoder=encoder)
            work = asyncio.create_task(_work(client, Machine(tools, encoder, scratch, options.threads)))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if work.done():
                work.result()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    log.info("stopped")


async def _work(client: Client, machine: Machine) -> None:
    delay = _FIRST_S
    while True:
        try:
            view = await client.lease()
        except (TryAgainError, RefusedError, JobGoneError) as error:
            log.warning("server_unreachable", reason=str(error), retry_seconds=delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_S)
            continue
        delay = _FIRST_S
        if view is not None:
            await do_job(client, machine, view)
