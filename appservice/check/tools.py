"""Checks ffmpeg, and the sandbox that it runs in."""

import asyncio

from appservice.check.findings import CheckWarning
from appservice.config import Config
from transcode import TranscodeError, find_tools
from transcode.process.tools import usable_encoder


async def ffmpeg(config: Config) -> str:
    """Check that there is an ffmpeg that is new enough, and that the encoder works."""
    tools = await asyncio.to_thread(find_tools, config.transcode.ffmpeg, config.transcode.ffprobe)
    encoder, problem = await asyncio.to_thread(usable_encoder, tools, config.transcode.encoder)
    found = f"{tools.version} ({tools.origin}: {tools.ffmpeg}{f'; {tools.reason}' if tools.reason else ''})"
    return f"{found} encodes with {encoder}{f', not with {config.transcode.encoder}: {problem}' if problem else ''}"


async def sandbox(config: Config) -> str:
    """Check how well ffmpeg is sandboxed."""
    try:
        tools = await asyncio.to_thread(find_tools, config.transcode.ffmpeg, config.transcode.ffprobe)
    except TranscodeError as error:
        raise CheckWarning("cannot be tried without ffmpeg") from error
    if tools.sandbox.weaknesses:
        raise CheckWarning("; ".join(tools.sandbox.weaknesses))
    return f"{tools.sandbox.name} closes ffmpeg in"
