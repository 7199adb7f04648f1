"""Compares a registration file with the configuration."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appservice.check.findings import CheckError, CheckWarning
from appservice.config import Config
from appservice.registration import read_registration


def registration(config: Config, file: Path) -> str:
    """Check that what the homeserver reads is what the configuration says."""
    if not file.is_file():
        return f"there is none at {file}; name the one that Synapse reads with -r to have it compared"
    found = read_registration(file)
    if wrong := [*_wrong(config, found), *_wrong_users(config, found)]:
        raise CheckError(
            f"{file} differs from the configuration: {'; '.join(wrong)}. Write it anew with "
            f"`roomreel generate-registration -c FILE -r {file}`, and restart Synapse."
        )
    if file.stat().st_mode & stat.S_IROTH:
        raise CheckWarning(f"everybody on this machine can read {file}, and the tokens in it: `chmod o-r` it.")
    return f"{file} says what the configuration does"


def _wrong(config: Config, found: Mapping[str, Any]) -> list[str]:
    ours = config.appservice
    expected = {
        "id": ours.id,
        "url": ours.url,
        "as_token": ours.as_token.get_secret_value(),
        "hs_token": ours.hs_token.get_secret_value(),
    }
    if found.get("as_token") == expected["hs_token"] and found.get("hs_token") == expected["as_token"]:
        return ["as_token and hs_token are swapped"]
    # Tokens are secrets: they are named, not shown.
    wrong = [
        f"{name} is another one" if name.endswith("token") else f"{name} is {str(found.get(name))[:300]!r}, not {value}"
        for name, value in expected.items()
        if str(found.get(name, "")).rstrip("/") != value
    ]
    if config.encryption.key is not None and found.get("io.element.msc4190") is not True:
        wrong.append("`io.element.msc4190: true` is missing, without which the bot gets no device in encrypted rooms")
    return wrong


def _wrong_users(config: Config, found: Mapping[str, Any]) -> list[str]:
    wrong = []
    if found.get("sender_localpart") == config.appservice.bot_localpart:
        wrong.append(f"sender_localpart is the bot's own name, {config.appservice.bot_localpart}")
    namespaces = found.get("namespaces")
    users = namespaces.get("users") if isinstance(namespaces, dict) else None
    if not any(_matches(each, config.bot) for each in users or () if isinstance(each, dict)):
        wrong.append(f"no regex of its users matches {config.bot}")
    return wrong


def _matches(namespace: Mapping[str, Any], user_id: str) -> bool:
    try:
        return re.match(str(namespace.get("regex")), user_id) is not None
    except re.error:
        return False
