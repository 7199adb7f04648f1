"""The codes by which a browser is signed in: made here, shown there, sent as a message, and read again. Pure.

Who reads a code along gains nothing: it signs in the browser that shows it, as whoever sends it.
"""

import re
import secrets
from enum import StrEnum

CODE_SECONDS = 600
SIGNED_IN_SECONDS = 30 * 24 * 3600
MISS_SECONDS = 600
MOST_MISSES = 5
"""Wrong codes of one user within MISS_SECONDS, after which none of theirs counts."""

# Without what people take for one another: 0 and O, 1, I and L, U and V.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 8
PREFIX = "!reel"
"""What begins a message to the bot."""


class SignInOutcome(StrEnum):
    """What became of a message that signs in or out, for the bot to respond to."""

    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    WRONG_CODE = "wrong-code"
    TOO_MANY_CODES = "too-many-codes"


_SIGN_IN, _SIGN_OUT = "sign-in", "sign-out"
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def new_code() -> str:
    """Return a fresh code of some 39 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def command_of(code: str) -> str:
    """Return the message that signs in the browser with this code."""
    return f"{PREFIX} {_SIGN_IN} {code}"


SIGN_OUT_COMMAND = f"{PREFIX} {_SIGN_OUT}"


def sign_in_code(body: str) -> str | None:
    """Return the code in a message that is a sign-in, in the form it was made; None for any other message.

    Whatever stands where a code should be comes back, cut short: it is a wrong one.
    """
    words = body.split(maxsplit=2)
    if [word.lower() for word in words[:2]] != [PREFIX, _SIGN_IN]:
        return None
    # People group what they copy by hand.
    return re.sub(r"[^0-9A-Za-z]", "", words[2] if len(words) > 2 else "").upper()[: _LENGTH + 1]


def is_sign_out(body: str) -> bool:
    """Say whether a message requests to sign out all browsers of its sender."""
    return body.lower().split() == SIGN_OUT_COMMAND.split()


def browser_of(user_agent: str) -> str:
    """Return a browser's kind and system in words of ours, such as 'Firefox, Android'; empty when it does not say."""
    found = (next((name for mark, name in known if mark in user_agent), None) for known in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)
