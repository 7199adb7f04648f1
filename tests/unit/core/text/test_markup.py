"""Marks in what the bot says: code in HTML, nothing in plain text, and never half an element."""

import pytest

from appservice.core.text.markup import code, html, is_marked, plain


def test_marked_words_are_code() -> None:
    text = f"send {code('/op @a:b <50>')}\nor {code('x')}"
    assert is_marked(text)
    assert plain(text) == "send /op @a:b <50>\nor x"
    assert html(text) == "send <code>/op @a:b &lt;50&gt;</code><br>or <code>x</code>"


@pytest.mark.parametrize(("text", "shown"), [("a\x02b", "ab"), ("a\x03b", "ab"), ("\x02a\x02b\x03", "a<code>b</code>")])
def test_marks_that_are_none_vanish(text: str, shown: str) -> None:
    assert html(text) == shown


def test_code_holds_no_other_code() -> None:
    assert html(code(f"a{code('b')}")) == "<code>ab</code>"


def test_most_texts_have_no_marks() -> None:
    assert not is_marked("a <b>")
    assert html("a <b>") == "a &lt;b&gt;"
