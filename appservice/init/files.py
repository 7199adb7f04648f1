"""Writes configuration and registration: both or neither, for their owner alone, and never over anything."""

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from appservice import resources
from appservice.config import load_config
from appservice.core.errors import ConfigError
from appservice.encryption.installation import missing_packages
from appservice.init.template import Place, fill_in
from appservice.registration import new_token, render_registration


def configuration(values: Mapping[Place, object], admin: str | None, server_name: str | None) -> str:
    """Return a configuration with secrets of its own; what is not known stays marked `CHANGE`."""
    made: dict[Place, object] = {("appservice", "as_token"): new_token(), ("appservice", "hs_token"): new_token()}
    if not missing_packages():
        made["encryption", "key"] = secrets.token_urlsafe(32)
    permissions = {server_name: "user", admin: "admin"} if admin and server_name else None
    text = resources.example().read_text(encoding="utf-8")
    header = "# Roomreel's configuration, written by `roomreel init`: every key is explained."
    lines = fill_in(text, {**made, **values}, permissions=permissions).splitlines()
    return "\n".join([header, *lines[1:]]) + "\n"


def write_both(config: Path, text: str, registration: Path, env: Mapping[str, str]) -> None:
    """Write a configuration, and the registration for it. Raises ConfigError, and nothing is left then."""
    scratch = _beside(config)
    with ExitStack() as stack:
        stack.callback(scratch.unlink, missing_ok=True)
        _write(scratch, text)
        rendered = render_registration(load_config(scratch, env))
        _publish([(registration, rendered), (config, text)])


def write_one(target: Path, text: str) -> None:
    """Write a file. Raises ConfigError, and nothing is left then."""
    _publish([(target, text)])


def _publish(files: Sequence[tuple[Path, str]]) -> None:
    """Make all files visible or none, whatever ends us: each whole, by a link that replaces nothing."""
    with ExitStack() as scratch, ExitStack() as published:
        ready = []
        for target, text in files:
            part = _beside(target)
            scratch.callback(part.unlink, missing_ok=True)
            _write(part, text)
            ready.append((part, target))
        for part, target in ready:
            try:
                os.link(part, target)
            except FileExistsError:
                raise ConfigError(f"{target} is there already: nothing is overwritten. Move it away first.") from None
            except OSError as error:
                raise ConfigError(f"{target} cannot be written: {error}.") from error
            published.callback(target.unlink, missing_ok=True)
        published.pop_all()


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")


def _write(path: Path, text: str) -> None:
    """Write a new file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"Nothing can be written to {path.parent}: {error}.") from error
