"""What the bot says in both forms: nothing in it becomes markup, and both fit an event."""

import pytest

from appservice.core.text.markup import code
from appservice.core.text.message import Item, Response, numbered


def test_a_line_needs_no_html() -> None:
    response = Response("Done & gone.")
    assert (response.plain, response.html) == ("Done & gone.", None)


def test_a_numbered_list() -> None:
    response = Response("Videos:", numbered(["<b>one", "two"], 11), after="Page 2\nof 3")
    assert response.plain == "Videos:\n11. <b>one\n12. two\nPage 2\nof 3"
    assert response.html == (
        '<p>Videos:</p>\n<ol start="11">\n<li>&lt;b&gt;one</li>\n<li>two</li>\n</ol>\n<p>Page 2<br>of 3</p>'
    )


def test_a_list_without_numbers_and_a_code() -> None:
    response = Response(items=[Item("one")], code="a<b")
    assert response.plain == "• one\na<b"
    assert response.html == "<ul>\n<li>one</li>\n</ul>\n<pre><code>a&lt;b</code></pre>"


def test_what_is_to_be_copied_is_code() -> None:
    response = Response(f"Send {code('a<b')}", [Item(f"{code('!reel x')} – y")], after=f"then {code('z')}")
    assert response.plain == "Send a<b\n• !reel x – y\nthen z"
    assert response.html == (
        "<p>Send <code>a&lt;b</code></p>\n<ul>\n<li><code>!reel x</code> – y</li>\n</ul>\n<p>then <code>z</code></p>"
    )
    assert Response(after=code("z")).html == "<p><code>z</code></p>"


@pytest.mark.parametrize("text", ["x" * 20_000, "&\n" * 7_000])
def test_both_forms_fit_an_event(text: str) -> None:
    response = Response(text, [Item("more")])
    assert len(response.plain) == 12_000
    assert response.plain.endswith("…")
    assert response.html is None
