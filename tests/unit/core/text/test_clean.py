"""Text that people type: what steers goes, what words and emoji are made of stays, whatever it is."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.text.clean import _PLAIN, MAX_TITLE, _clean, clean_json, clean_text
from tests.unit.core.events.test_intake import JSON

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
FAMILY = "👩\u200d👩\u200d👧"
# What hypothesis would seldom draw by itself.
_SPECIAL = st.sampled_from(
    [
        "\u202e", "\u2066", "\u2069", "\u200e", "\x1b", "\x07", "\x00", "\x9b", "\n", "\r\n", "\u2028", "\x85",
        "\u00ad", "\u200c", "\u200d", "\ufe0f", "\u0301", "\u20e3", "\ud83c", "\U000e0067", "\U000e007f", "🏴",
        SCOTLAND, FAMILY, "\u3164", "a", " ",
    ]
)  # fmt: skip
TEXTS = st.lists(_SPECIAL | st.text(st.characters(), max_size=5), max_size=60).map("".join)
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("limit", [1, 5, 40, 200])
@given(value=TEXTS)
def test_whatever_was_typed_is_one_short_line_that_steers_nothing(limit: int, value: str) -> None:
    text = clean_text(value, limit)
    if text is None:
        return
    assert 0 < len(text) <= limit
    assert text == text.strip()
    assert not BIDI & set(text)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in text}
    assert all(character == " " or not character.isspace() for character in text)
    assert "  " not in text
    text.encode()
    tags = text.replace(SCOTLAND, "")
    assert not any("\U000e0000" <= character <= "\U000e007f" for character in tags)


_USUAL = st.text(st.sampled_from(list("ab .,!?äßжю就是、ハ한😀👍🏽🏳🏴\u0301\u200d\ufe0f\u3000\n\t")), max_size=30)


@pytest.mark.parametrize("limit", [1, 5, 20, 200])
@given(value=_USUAL | TEXTS)
def test_plain_text_in_one_match_is_what_it_is_letter_by_letter(limit: int, value: str) -> None:
    assert clean_text(value, limit) == _clean(value, limit)


def test_what_counts_as_plain_is_a_letter_or_sign_by_itself() -> None:
    plain = [chr(point) for point in range(0x20, 0x110000) if _PLAIN.fullmatch(chr(point))]
    assert len(plain) > 33_000
    for character in plain[1:]:  # the first is the space
        assert _clean(f"a{character}b", 200) == f"a{character}b"
        assert _clean(character, 200) == character


@given(value=TEXTS)
def test_what_is_clean_stays_as_it_is(value: str) -> None:
    text = clean_text(value)
    assert clean_text(text) == text


@given(value=TEXTS)
def test_no_letter_carries_a_tower_of_marks(value: str) -> None:
    marks = 0
    for character in clean_text(value) or "":
        attached = character in "\u00ad\u200c\u200d" or unicodedata.category(character) in {"Mn", "Me"}
        marks = marks + 1 if attached else 0
        assert marks <= 5


@given(value=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60))
def test_letters_digits_and_punctuation_stay(value: str) -> None:
    blank = "\u115f\u1160\u2800\u3164\uffa0"
    assert clean_text(value) == (value if value.strip(blank) else None)


@pytest.mark.parametrize(
    "text",
    [
        "Donau\u00addampfschiff", SCOTLAND, f"{SCOTLAND} and {FAMILY}", "می\u200cخواهم", "❤️", "✈\ufe0e", "1️⃣",
        "🏳️\u200d🌈", "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "ශ්\u200dරී", "ന്\u200d", "שָּׁ֔", "Việt Nam", "é", "ที่นี่", "བསྒྲུབས",
        "葛\U000e0100", "ᠭᠠᠯ\u180eᠠ", "a\u034fb", "\u0601١٢", "海边 🌊", "“Ciné-club” – n° 5", "‰ № ™ ½",
        "\U0001fae8 \U0001faea",
    ],
)  # fmt: skip
def test_what_words_and_emoji_need_stays(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("holiday\u202egpj.mp4", "holidaygpj.mp4"),
        ("\u2067a\u2069 \u200fb\u061c", "a b"),
        ("\x1b[31mred\x07\x9b0m", "[31mred0m"),
        ("one\ntwo\r\nthree\u2028four\u0085five\tsix", "one two three four five six"),
        ("a\x00b\ud800c\udfffd", "abcd"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        # Tags hide text anywhere but in a flag.
        ("a\U000e0068\U000e0069b", "ab"),
        ("🏴\U000e0067\U000e0062", "🏴"),
        ("Z" + "\u0301" * 50 + "algo", "Z" + "\u0301" * 5 + "algo"),
        ("\u0301\u0301 a \ufe0f b\u200d ", "a b\u200d"),
        ("\ue000\ufdd0\U0001ffff\U000e0fffx", "x"),
    ],
)  # fmt: skip
def test_what_steers_or_hides_goes(typed: str, text: str) -> None:
    assert clean_text(typed) == text


@pytest.mark.parametrize(
    "nothing", [5, None, ["a"], "", "\n\x00 ", "\u202e", "\u200d\ufe0f", "\u3164 \u2800", "\u0301", "\U0001d159\ufffc"]
)
def test_what_shows_nothing_is_no_text(nothing: object) -> None:
    assert clean_text(nothing) is None


def test_the_cut_is_between_grapheme_clusters() -> None:
    assert clean_text("a" * 198 + FAMILY + "b") == "a" * 198
    assert clean_text("a" * 198 + SCOTLAND) == "a" * 198
    assert clean_text("a" * (MAX_TITLE - 1) + "e\u0301") == "a" * (MAX_TITLE - 1)
    assert clean_text("🌊" * 300) == "🌊" * MAX_TITLE


def test_joiners_without_end_do_not_make_one_piece_of_a_whole_text() -> None:
    text = clean_text("a\u200d" * 500)
    assert text
    assert len(text) > MAX_TITLE - 40


def test_what_goes_is_not_looked_at_without_end() -> None:
    assert clean_text("\u202e" * 1_000_000 + "a") is None
    assert clean_text("\u202e" * 1_000 + "a") == "a"


@given(JSON)
def test_clean_json_is_what_jsonb_takes(value: object) -> None:
    text = json.dumps(clean_json(value), ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
