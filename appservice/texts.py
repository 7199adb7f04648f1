"""What the bot says, in the language of the config: Fluent messages shared with the widget."""

from collections.abc import Mapping
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

FALLBACK = "en"


def _bundle(folder: Path, language: str) -> FluentBundle:
    # Directional isolates around arguments show up as boxes in some clients.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((folder / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle


class Texts:
    """The message catalogue in one language, with English for what a translation lacks."""

    def __init__(self, folder: Path, language: str) -> None:
        self._bundles = [_bundle(folder, name) for name in dict.fromkeys((language, FALLBACK))]

    def say(self, message_id: str, arguments: Mapping[str, object] | None = None) -> str:
        """Return a message's text. Raises KeyError when no catalogue has it."""
        for bundle in self._bundles:
            if bundle.has_message(message_id) and (pattern := bundle.get_message(message_id).value):
                text, _ = bundle.format_pattern(pattern, dict(arguments or {}))
                return str(text)
        raise KeyError(message_id)

    def failure(self, code: str) -> str:
        """Return the reason for people of a failure code."""
        try:
            return self.say(f"failure-{code}")
        except KeyError:
            return self.say("failure-internal")
