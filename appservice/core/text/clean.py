"""Cleans text that people type and others read, and JSON for the database. Pure.

Every entry of such text goes through `clean_text`: events, renames, captions, reports, names of people and rooms,
reasons. It takes what steers a terminal, a line or the direction of others' text, and leaves what words and emoji are
made of, as Unicode's standard has them (general categories; UTS #51 for emoji).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

MAX_TITLE = 200
"""Characters in a title or a name."""
MAX_REASON = 500
"""Characters in what somebody says about a video to others."""

_MOST_ATTACHED = 5
"""Marks and joiners on one letter: what words of any living script need, but no tower over other lines ("zalgo")."""
_LONGEST_CLUSTER = 32
"""Characters that are only ever cut as one: a family of emoji has eleven at most."""
_READ_AHEAD = 16
"""So many times the limit are looked at: what goes takes no time without end."""

_ZWJ = "\u200d"
# The soft hyphen, the joiners, and Mongolian's: they stand between letters, and are nothing by themselves.
_JOINERS = frozenset("\u00ad\u180e\u200c\u200d")
# Format characters that are seen: number signs of Arabic, Syriac and Kaithi, and the layout of hieroglyphs.
_VISIBLE_FORMATS = frozenset(
    map(
        chr,
        [
            *range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD,
            *range(0x13430, 0x13440),
        ],
    )
)  # fmt: skip
# Letters and signs without a shape: they may stand among others, but make no text alone.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159")
# A flag of a part of a country (UTS #51, "Emoji tag sequence"); tags are hidden text anywhere else.
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")

# What is never seen in a name: Unicode's Default_Ignorable_Code_Point, the blanks of Braille and of musical notes, and
# what stands for an object that is not there.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffc\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What most texts are made of: each is a letter or sign by itself, and stays.
_PLAIN = re.compile(
    "[ !-~\u00a1-\u00ac\u00ae-\u02ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u3001-\u3029\u3041-\u3096"
    "\u309b-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e\U0001f300-\U0001f3f3\U0001f3f5-\U0001f6d7]*"
)


def clean_text(value: object, limit: int = MAX_TITLE) -> str | None:
    """Return `value` as one line of text of at most `limit` characters; None when it is no text, or nothing to see.

    Controls, line breaks, directional controls, lone surrogates and hidden tags go. The cut is between what is seen as
    one character.
    """
    if not isinstance(value, str):
        return None
    value = value[: limit * _READ_AHEAD]
    plain = " ".join(value.split())
    # With the one behind the cut: what attaches to a character is cut with it.
    if _PLAIN.fullmatch(plain, 0, limit + 1) and not value[:1].isspace():
        return plain[:limit].rstrip(" ") or None
    return _clean(value, limit)


def _clean(value: str, limit: int) -> str | None:
    clusters, length = [], 0
    for cluster in _clusters(value):
        length += len(cluster)
        if length > limit:
            break
        clusters.append(cluster)
    text = "".join(clusters).strip(" ")
    return text if any(_is_seen(character) for character in text) else None


def is_plain(text: str) -> bool:
    """Say whether a text is as it looks: compatibility-normalized (NFKC), with nothing in it that is not seen."""
    return unicodedata.is_normalized("NFKC", text) and not _UNSEEN.search(text)


def clean_json(value: object) -> object:
    """Return `value` without what a jsonb column refuses: NUL characters and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(clean_json(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    return value


def _clusters(text: str) -> Iterator[str]:
    """Yield what is left of a text by what is seen as one character each; of spaces in a row, one."""
    cluster, attached = "", 0
    for piece in _pieces(text):
        if _attaches(piece):
            attached += 1
            if cluster not in {"", " "} and attached <= _MOST_ATTACHED:
                cluster += piece
            continue
        attached = 0
        if cluster.endswith(_ZWJ) and piece != " " and len(cluster) + len(piece) <= _LONGEST_CLUSTER:
            cluster += piece
        elif cluster != " " or piece != " ":
            yield cluster
            cluster = piece
    yield cluster


def _pieces(text: str) -> Iterator[str]:
    """Yield the characters that stay, white space as a space, and a flag with its tags as one piece."""
    at = 0
    while at < len(text):
        flag = _FLAG.match(text, at)
        piece = flag[0] if flag else text[at]
        at += len(piece)
        if piece.isspace():
            yield " "
        elif flag or _stays(piece):
            yield piece


def _stays(character: str) -> bool:
    if character in _JOINERS or character in _VISIBLE_FORMATS:
        return True
    match unicodedata.category(character):
        case "Cc" | "Cf" | "Cs" | "Co":
            return False
        case "Cn":
            # Emoji of a newer Unicode than Python knows; but nothing that never becomes a character, or is never seen.
            point = ord(character)
            never = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
            return not (never or point in {0x2065, *range(0xFFF0, 0xFFF9)} or 0xE0000 <= point <= 0xE0FFF)
        case _:
            return True


def _attaches(piece: str) -> bool:
    return piece in _JOINERS or unicodedata.category(piece[0]) in {"Mn", "Me"}


def _is_seen(character: str) -> bool:
    return character != " " and character not in _BLANK and not _attaches(character)
