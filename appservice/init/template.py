"""Fills values into config.yaml.example, whose comments stay. Pure."""

import re
from collections.abc import Mapping

import yaml

_SECTION = re.compile(r"(?P<name>[a-z_]+):(?P<value> .*)?")
_KEY = re.compile(r"  (?P<name>[a-z_]+): .*")
_CHANGE = re.compile(r"# CHANGE(?: both)?: (\w)")

Place = tuple[str, str]
"""A section and its key; a key of the top level is a section without one ("")."""


def fill_in(text: str, values: Mapping[Place, object], *, permissions: Mapping[str, str] | None = None) -> str:
    """Return the example with these values in it; what was marked `CHANGE` and got a value is marked no more.

    Raises KeyError for a place that the example does not have.
    """
    lines: list[str] = []
    left = dict(values)
    section = ""
    for line in text.splitlines():
        if found := _SECTION.fullmatch(line):
            section = found["name"]
        place = (section, "") if found else (section, key["name"]) if (key := _KEY.fullmatch(line)) else None
        if permissions is not None and section == "permissions" and line.startswith('  "'):
            continue
        if place in left:
            indent = "" if found else "  "
            lines.append(f"{indent}{place[1] or place[0]}: {_scalar(left.pop(place))}")
            _unmark(lines)
        else:
            lines.append(line)
        if found and section == "permissions" and permissions is not None:
            lines += [f"  {_scalar(whom)}: {_scalar(level)}" for whom, level in permissions.items()]
    if left:
        raise KeyError(f"config.yaml.example has no {', '.join('.'.join(place).rstrip('.') for place in left)}")
    return "\n".join(lines) + "\n"


def _scalar(value: object) -> str:
    return yaml.safe_dump(value, width=10_000, allow_unicode=True).removesuffix("...\n").strip()


def _unmark(lines: list[str]) -> None:
    """Take the mark off the comment above the last line, which may be several lines long, or above another key."""
    for number in range(len(lines) - 2, max(len(lines) - 6, -1), -1):
        if marked := _CHANGE.search(lines[number]):
            lines[number] = _CHANGE.sub(f"# {marked[1].upper()}", lines[number], count=1)
            return
        if not lines[number].lstrip().startswith("#") and "token" not in lines[number]:
            return
