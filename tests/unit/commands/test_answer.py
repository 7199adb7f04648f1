"""What the bot says in both forms: nothing in it becomes markup, and both fit an event."""

import pytest

from appservice.commands.answer import Answer, Item, numbered


def test_a_line_needs_no_html() -> None:
    answer = Answer("Done & gone.")
    assert (answer.plain, answer.html) == ("Done & gone.", None)


def test_a_numbered_list() -> None:
    answer = Answer("Videos:", numbered(["<b>one", "two"], 11), after="Page 2\nof 3")
    assert answer.plain == "Videos:\n11. <b>one\n12. two\nPage 2\nof 3"
    assert answer.html == ('<p>Videos:</p><ol start="11"><li>&lt;b&gt;one</li><li>two</li></ol><p>Page 2<br>of 3</p>')


def test_a_list_without_numbers_and_a_code() -> None:
    answer = Answer(items=[Item("one")], code="a<b")
    assert answer.plain == "• one\na<b"
    assert answer.html == "<ul><li>one</li></ul><pre><code>a&lt;b</code></pre>"


@pytest.mark.parametrize("text", ["x" * 20_000, "&\n" * 7_000])
def test_both_forms_fit_an_event(text: str) -> None:
    answer = Answer(text, [Item("more")])
    assert len(answer.plain) == 12_000
    assert answer.plain.endswith("…")
    assert answer.html is None
