"""Commands for operators about runners: add, list, revoke. Each returns what to print."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from appservice.config import Config
from appservice.core.errors import ConfigError, NotFoundError
from appservice.core.runners import is_runner_name, new_token
from appservice.operator_commands import open_stores
from appservice.store.runners import RunnerLine, RunnerStore


async def runners(config: Config, deed: str, arguments: Mapping[str, Any]) -> str:
    """Do one of `add`, `list` and `revoke`."""
    async with open_stores(config) as stores:
        if deed == "add":
            return await _add(stores.runners, arguments["name"], takes_encrypted=arguments["encrypted"])
        if deed == "revoke":
            return await _revoke(stores.runners, arguments["name"])
        lines = [_line(each) for each in await stores.runners.all()]
    return "\n".join(lines) or "There are no runners: `admin runners add NAME` registers one."


async def _add(store: RunnerStore, name: str, *, takes_encrypted: bool) -> str:
    if not is_runner_name(name):
        raise ConfigError("A runner's name has up to 40 letters of a-z, A-Z, 0-9, `.`, `_` and `-`.")
    token = new_token()
    if not await store.add(name, token, takes_encrypted=takes_encrypted):
        raise ConfigError(f"There is, or was, a runner {name}. Take another name.")
    return f"Added {name}. Its token, which is not shown again:\n{token}"


async def _revoke(store: RunnerStore, name: str) -> str:
    if not await store.revoke(name):
        raise NotFoundError(f"There is no runner {name}, or it is revoked already.")
    return f"Revoked {name}. What it was at goes on elsewhere."


def _line(runner: RunnerLine) -> str:
    if runner.revoked_at:
        state = f"revoked {_time(runner.revoked_at)}"
    elif runner.video_id:
        state = f"makes {runner.video_id}"
    elif runner.paused_until:
        state = f"paused until {_time(runner.paused_until)}, for it failed again and again"
    else:
        state = "idle"
    seen = _time(runner.seen_at) if runner.seen_at else "never"
    rooms = "also encrypted rooms" if runner.takes_encrypted else "no encrypted rooms"
    return f"{runner.name}: seen {seen}, {runner.done} done, {runner.failed} failed, {rooms}, {state}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
