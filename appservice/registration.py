"""The registration file by which the homeserver knows us (application service API, "Registration"). Pure."""

import re
import secrets

import yaml

from appservice.config import Config


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
