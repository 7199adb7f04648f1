"""The widget's state: which widgets of a room are ours, and how the layout changes with an id."""

from appservice.core.events.widgets import (
    FORMER_ID,
    RoomWidgets,
    WidgetEvent,
    pinned_layout,
    renamed_layout,
    widget_content,
)

BOT, EVE = "@reel:x", "@eve:x"
OURS = {"url": "https://x/widget/"}


def test_widgets_of_before_are_those_by_the_bot_or_by_the_id_of_old() -> None:
    widgets = RoomWidgets(
        [
            WidgetEvent("now", BOT, OURS),
            WidgetEvent(FORMER_ID, EVE, OURS),
            WidgetEvent("lost", BOT, OURS),
            WidgetEvent("emptied", BOT, {}),
            WidgetEvent("hers", EVE, OURS),
        ]
    )
    assert widgets.former("now", BOT) == [FORMER_ID, "lost"]
    assert widgets.content("now") == OURS
    assert widgets.content("emptied") == widgets.content("nowhere") == {}


def test_the_content_names_its_id_and_the_bot() -> None:
    content = widget_content("id", "https://x", BOT, "Roomreel")
    assert (content["id"], content["creatorUserId"], content["name"]) == ("id", BOT, "Roomreel")
    assert str(content["url"]).startswith("https://x/widget/?room_id=$matrix_room_id&")


def test_pinned_beside_others() -> None:
    others = {"a": {"container": "top", "index": 0}}
    layout = pinned_layout({"widgets": others, "kept": 1}, "ours")
    ours = {"container": "top", "index": 1, "width": 100, "height": 40}
    assert layout == {"widgets": {**others, "ours": ours}, "kept": 1}
    assert pinned_layout(None, "ours") == pinned_layout({"widgets": "nonsense"}, "ours")


def test_by_a_new_id_it_keeps_its_place() -> None:
    where = {"container": "right", "index": 3}
    layout = {"widgets": {"a": 1, FORMER_ID: where, "lost": {"container": "top"}}, "kept": 1}
    assert renamed_layout(layout, [FORMER_ID, "lost"], "ours") == {"widgets": {"a": 1, "ours": where}, "kept": 1}
    assert renamed_layout(layout, [], "ours") is None
    assert renamed_layout({"widgets": {"a": 1}}, [FORMER_ID], "ours") is None
    assert renamed_layout({"widgets": [FORMER_ID]}, [FORMER_ID], "ours") is None
    assert renamed_layout(None, [FORMER_ID], "ours") is None
