"""Markup within the bot's texts: words to be copied as they are, shown as code. Pure.

Clients make links of what looks like a user id or an address, but not within code.
"""

import re
from html import escape

_OPEN, _CLOSE = "\x02", "\x03"
_MARKED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_MARKS = str.maketrans("", "", _OPEN + _CLOSE)


def code(text: str) -> str:
    """Return a text marked as code."""
    return f"{_OPEN}{plain(text)}{_CLOSE}"


def is_marked(text: str) -> bool:
    """Say whether something in a text is marked."""
    return _OPEN in text


def plain(text: str) -> str:
    """Return a text without its marks."""
    return text.translate(_MARKS)


def html(text: str) -> str:
    """Return a text as HTML, with line breaks."""
    return plain(_MARKED.sub(r"<code>\1</code>", escape(text))).replace("\n", "<br>")
