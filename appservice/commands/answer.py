"""What the bot says: paragraphs and numbered lists, as plain text and as the HTML that Matrix clients show. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

MOST_LINES = 50
"""Of one list; whoever has more asks for the next page."""

_LIMIT = 12_000  # characters of either form: an event holds 65536 bytes of both


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list: `number` is what a command calls it, if it is called anything."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot says to a command, and with which reaction it marks the command, if with any.

    `code` is to be copied as it is.
    """

    text: str = ""
    items: Sequence[Item] = ()
    after: str = ""
    code: str = ""
    reaction: str | None = None

    @property
    def plain(self) -> str:
        """The answer for clients without formatting."""
        lines = [self.text] if self.text else []
        lines += [f"{item.number}. {item.text}" if item.number is not None else f"• {item.text}" for item in self.items]
        lines += [part for part in (self.code, self.after) if part]
        return _cut("\n".join(lines))

    @property
    def html(self) -> str | None:
        """The answer as `org.matrix.custom.html`; None where plain text says the same."""
        if not self.items and not self.code and "\n" not in self.text + self.after:
            return None
        parts = [_paragraph(self.text)]
        parts.append(_list(self.items))
        parts += [f"<pre><code>{escape(self.code)}</code></pre>" if self.code else "", _paragraph(self.after)]
        made = "".join(parts)
        return made if len(made) <= _LIMIT else None


def _paragraph(text: str) -> str:
    return f"<p>{escape(text).replace(chr(10), '<br>')}</p>" if text else ""


def _list(items: Sequence[Item]) -> str:
    if not items:
        return ""
    numbered = items[0].number is not None
    body = "".join(_entry(item) for item in items)
    return f'<ol start="{items[0].number}">{body}</ol>' if numbered else f"<ul>{body}</ul>"


def _entry(item: Item) -> str:
    return f"<li>{escape(item.text)}</li>"


def _cut(text: str) -> str:
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"


def numbered(texts: Iterable[str], first: int = 1) -> list[Item]:
    """Return a list whose lines have the numbers that commands call them by."""
    return [Item(text, number) for number, text in enumerate(texts, first)]
