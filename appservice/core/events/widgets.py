"""The room's widget: its state event, its place in the layout, and which state events of a room were ours. Pure.

Clients store a user's permissions for a widget by its id alone, in all rooms: nobody may be able to guess it, so each
room has its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FORMER_ID = "roomreel"
"""What the widget was called in every room before rooms had ids of their own."""

_VARIABLES = {
    "room_id": "$matrix_room_id",
    "user_id": "$matrix_user_id",
    "theme": "$org.matrix.msc2873.client_theme",
    "lang": "$org.matrix.msc2873.client_language",
}


@dataclass(frozen=True, slots=True)
class WidgetEvent:
    """A widget's state event; the content is empty where the widget was taken away."""

    id: str
    sender: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RoomWidgets:
    """The widgets of a room, and the content of its layout event, if it has one."""

    events: Sequence[WidgetEvent] = ()
    layout: Mapping[str, object] | None = None

    def content(self, widget_id: str) -> Mapping[str, object]:
        """Return the content of a widget; empty where there is none."""
        return next((event.content for event in self.events if event.id == widget_id), {})

    def former(self, widget_id: str, bot: str) -> list[str]:
        """Return the ids of widgets of ours that are not the room's: of an earlier release, or a lost database."""
        return [
            event.id
            for event in self.events
            if event.content and event.id != widget_id and (event.sender == bot or event.id == FORMER_ID)
        ]


def widget_content(widget_id: str, public_url: str, bot: str, name: str) -> dict[str, object]:
    """Return the content of the widget's state event; its URL's variables are filled in by each client."""
    query = "&".join(f"{key}={variable}" for key, variable in _VARIABLES.items())
    return {
        "id": widget_id,
        "type": "m.custom",
        "name": name,
        "url": f"{public_url}/widget/?{query}",
        "creatorUserId": bot,
        "data": {},
        # The page says itself when it is ready (widget API, `content_loaded`).
        "waitForIframeLoad": False,
    }


def pinned_layout(current: Mapping[str, object] | None, widget_id: str) -> dict[str, object]:
    """Return the room's widget layout with our widget pinned on top, all others left as they are."""
    others = _widgets(current)
    ours = {"container": "top", "index": len(others), "width": 100, "height": 40}
    return {**(current or {}), "widgets": {**others, widget_id: ours}}


def renamed_layout(
    current: Mapping[str, object] | None, former: Sequence[str], widget_id: str
) -> dict[str, object] | None:
    """Return the layout with our widget where it was by a former id; None where it is not in it."""
    widgets = _widgets(current)
    position = next((widgets[name] for name in former if name in widgets), None)
    if position is None:
        return None
    others = {name: where for name, where in widgets.items() if name not in former}
    return {**(current or {}), "widgets": {**others, widget_id: position}}


def _widgets(layout: Mapping[str, object] | None) -> Mapping[str, object]:
    widgets = (layout or {}).get("widgets")
    return widgets if isinstance(widgets, Mapping) else {}
