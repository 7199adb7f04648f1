"""The bot's responses: paragraphs and numbered lists, as plain text and as the HTML that Matrix clients show. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from appservice.core.text import markup

MOST_LINES = 50
"""Of one list; the rest is on further pages."""

_LIMIT = 12_000  # characters of either form: an event holds 65536 bytes of both


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list: `number` is what a command calls it, if it is called anything."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The bot's response to a command: its text, and the reaction with which it marks the command, if any.

    `code` is to be copied as it is.
    """

    text: str = ""
    items: Sequence[Item] = ()
    after: str = ""
    code: str = ""
    reaction: str | None = None

    @property
    def plain(self) -> str:
        """The response for clients without formatting."""
        lines = [self.text] if self.text else []
        lines += [f"{item.number}. {item.text}" if item.number is not None else f"• {item.text}" for item in self.items]
        lines += [part for part in (self.code, self.after) if part]
        return _cut(markup.plain("\n".join(lines)))

    @property
    def html(self) -> str | None:
        """The response as `org.matrix.custom.html`; None where plain text says the same."""
        words = self.text + self.after
        if not self.items and not self.code and "\n" not in words and not markup.is_marked(words):
            return None
        code = f"<pre><code>{escape(self.code)}</code></pre>" if self.code else ""
        parts = [_paragraph(self.text), _list(self.items), code, _paragraph(self.after)]
        # Clients that show the beginning of a message in one line take the tags out, and nothing would part the words.
        made = "\n".join(part for part in parts if part)
        return made if len(made) <= _LIMIT else None


def _paragraph(text: str) -> str:
    return f"<p>{markup.html(text)}</p>" if text else ""


def _list(items: Sequence[Item]) -> str:
    if not items:
        return ""
    numbered = items[0].number is not None
    body = "\n".join(_entry(item) for item in items)
    return f'<ol start="{items[0].number}">\n{body}\n</ol>' if numbered else f"<ul>\n{body}\n</ul>"


def _entry(item: Item) -> str:
    return f"<li>{markup.html(item.text)}</li>"


def _cut(text: str) -> str:
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"


def numbered(texts: Iterable[str], first: int = 1) -> list[Item]:
    """Return a list whose lines have the numbers that commands call them by."""
    return [Item(text, number) for number, text in enumerate(texts, first)]
