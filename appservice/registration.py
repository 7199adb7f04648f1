"""The registration file by which the homeserver knows us (application service API, "Registration")."""

import re
import secrets
from pathlib import Path
from typing import Any

import yaml

from appservice.config import Config
from appservice.core.errors import ConfigError


def new_token() -> str:
    """Return a fresh secret for `as_token` or `hs_token`."""
    return secrets.token_urlsafe(32)


def render_registration(config: Config) -> str:
    """Return registration.yaml for this configuration.

    The bot is an exclusive user of our namespace and not the `sender_localpart`, which is a
    user of its own: Synapse's response to `/sync` of a sender is an error.
    """
    registration = {
        "id": config.appservice.id,
        "url": config.appservice.url,
        "as_token": config.appservice.as_token.get_secret_value(),
        "hs_token": config.appservice.hs_token.get_secret_value(),
        "sender_localpart": f"{config.appservice.bot_localpart}-sender",
        "rate_limited": False,
        "io.element.msc4190": True,
        "namespaces": {
            "users": [{"exclusive": True, "regex": f"^{re.escape(config.bot)}$"}],
            "aliases": [],
            "rooms": [],
        },
    }
    return yaml.safe_dump(registration, sort_keys=False)


def read_registration(path: Path) -> dict[str, Any]:
    """Return what stands in a registration file. Raises ConfigError, which quotes nothing of it."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The registration {path} cannot be read: {error}.") from error
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{path} is no registration: it is not YAML with keys such as `as_token`.")
    return found
