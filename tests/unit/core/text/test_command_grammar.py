"""How commands are written: each kind of word, taken strictly, and what was meant by a name that is none."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.text.command_grammar import UsageError, VideoName, Words, nearest, split

ALICE = "@alice:example.org"


def test_a_command_and_its_words() -> None:
    name, words = split("  Rename  3   My  video ")
    assert (name, words.words) == ("rename", ["3", "My", "video"])
    assert split("   ")[0] == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("3", VideoName(position=3)),
        ("#1A2b3c", VideoName(short_id="1a2b3c")),
        (f"{ALICE} 12", VideoName(position=12, owner=ALICE)),
        ("", VideoName()),
        ("a title", VideoName()),
        ("#12", VideoName()),
    ],
)
def test_what_a_video_is_called(text: str, name: VideoName) -> None:
    assert Words.of(text).video() == name


@pytest.mark.parametrize("text", [ALICE, f"{ALICE} first", f"{ALICE} #1a2b3c", "0", "10001", "@alice 3", "@:x 1"])
def test_what_no_video_is_called(text: str) -> None:
    with pytest.raises(UsageError):
        Words.of(text).video()


@pytest.mark.parametrize(
    ("take", "text", "wrong"),
    [
        (Words.take, "", ""),
        (Words.rest, "", ""),
        (Words.end, "more", "more"),
        (Words.user, "alice", "alice"),
        (Words.user, f"@{'a' * 250}:example.org", f"@{'a' * 250}:example.org"),
        (Words.number, "-1", "-1"),
        (Words.number, "1.5", "1.5"),
        (Words.number, "٣", "٣"),
        (lambda words: words.choice({"on", "off"}), "perhaps", "perhaps"),
    ],
)
def test_the_wrong_word_is_named(take: Callable[[Words], object], text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        take(Words.of(text))
    assert caught.value.wrong == wrong


def test_words_are_taken_one_by_one() -> None:
    words = Words.of(f"ON {ALICE} 7 OFF and the rest")
    assert words.choice({"on", "off"}) == "on"
    assert words.take_if("on") is None
    assert words.user_if() == ALICE
    assert words.user_if() is None
    assert words.number(most=7) == 7
    assert words.take_if("on", "off") == "off"
    assert words.rest_if() == "and the rest"
    assert (words.rest_if(), words.peek()) == ("", None)
    words.end()


@given(st.text())
def test_any_text_is_a_command_or_a_mistake(text: str) -> None:
    name, words = split(text)
    assert name == name.lower()
    before = list(words.words)
    with contextlib.suppress(UsageError):
        found = words.video()
        assert found.position is None or found.position > 0
        assert before[len(before) - len(words.words) :] == words.words


@pytest.mark.parametrize(("said", "meant"), [("hlep", "help"), ("lst", "list"), ("xyzzy", None), ("", None)])
def test_what_was_meant(said: str, meant: str | None) -> None:
    assert nearest(said, ["help", "list", "mine"]) == meant
