"""What `roomreel init` makes of config.yaml.example: the values, and every comment."""

import pytest
import yaml

from appservice import resources
from appservice.init.template import fill_in

TEXT = resources.example().read_text(encoding="utf-8")


def test_only_what_is_filled_in_changes() -> None:
    values = {
        ("homeserver", "url"): "https://matrix.example.com",
        ("database", ""): "postgresql://u@h/d",
        ("web", "port"): 9,
    }
    filled = fill_in(TEXT, values)
    before, after = TEXT.splitlines(), filled.splitlines()
    assert len(after) == len(before)
    changed = {new for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {
        "  url: https://matrix.example.com",
        "  # Where we reach the homeserver's client-server API.",
        "database: postgresql://u@h/d",
        "  port: 9",
    }


def test_permissions_are_replaced_and_nothing_else_of_them() -> None:
    filled = fill_in(TEXT, {}, permissions={"example.com": "user", "@boss:example.com": "admin"})
    assert yaml.safe_load(filled) == {
        **yaml.safe_load(TEXT), "permissions": {"example.com": "user", "@boss:example.com": "admin"},
    }  # fmt: skip


def test_values_are_quoted_where_yaml_needs_it() -> None:
    for value in ("123456", "- a: b #", "null", 'a"b', "'", "ü: x", "*"):
        assert (
            yaml.safe_load(fill_in(TEXT, {("homeserver", "server_name"): value}))["homeserver"]["server_name"] == value
        )


def test_a_key_that_the_example_lacks_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match=r"web\.prot"):
        fill_in(TEXT, {("web", "prot"): 1})


def test_the_marks_of_what_is_filled_in_go() -> None:
    places = [("homeserver", "url"), ("homeserver", "server_name"), ("appservice", "url"), ("web", "public_url")]
    tokens = [("appservice", "as_token"), ("appservice", "hs_token")]
    assert (
        "CHANGE"
        not in fill_in(TEXT, dict.fromkeys([*places, *tokens], "x")).partition("webhook:")[0].partition("\n")[2]
    )
    assert fill_in(TEXT, dict.fromkeys(tokens, "x")).count("# CHANGE: ") == TEXT.count("# CHANGE: ")
