"""The languages of the texts, and which of them a language tag (BCP 47) selects. Pure."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def language_of(tag: str) -> str:
    """Return the language that a tag selects as ours are called, be it one of ours or not.

    Chinese is of two scripts: one that is named holds, else that of the region (`zh-HK`: traditional characters).
    """
    language, *rest = tag.strip().lower().replace("_", "-").split("-")
    traditional = "hans" not in rest and not _TRADITIONAL.isdisjoint(rest)
    return "zh-TW" if language == "zh" and traditional else language


def _ours(value: Any) -> Any:  # noqa: ANN401 - whatever somebody wrote
    return language_of(value) if isinstance(value, str) else value


Language = Annotated[Literal["en", "zh", "zh-TW"], BeforeValidator(_ours)]
LANGUAGES: tuple[str, ...] = ("en", "zh", "zh-TW")
"""Those that there is a catalogue of."""
