"""The catalogues: the same messages in every language, and a reason for every failure that the code knows."""

import ast
import re
from pathlib import Path

import pytest
from fluent.syntax import ast as fluent
from fluent.syntax import parse
from fluent.syntax.visitor import Visitor

from appservice import resources
from appservice.texts import Texts

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "zh")


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_VariableReference(self, node: fluent.VariableReference) -> None:  # noqa: N802 - the library's name
        self.names.add(node.id.name)


def _messages(language: str) -> dict[str, set[str]]:
    """Return each message's id with the arguments that it uses."""
    resource = parse((resources.locales() / f"{language}.ftl").read_text(encoding="utf-8"))
    messages = {}
    for entry in resource.body:
        assert not isinstance(entry, fluent.Junk), entry.content
        if isinstance(entry, fluent.Message):
            assert entry.id.name not in messages, f"{entry.id.name} is there twice"
            variables = _Variables()
            variables.visit(entry)
            messages[entry.id.name] = variables.names
    return messages


def test_there_are_no_other_languages() -> None:
    assert {file.stem for file in resources.locales().glob("*.ftl")} == set(LANGUAGES)


def test_both_catalogues_have_the_same_messages_with_the_same_arguments() -> None:
    english, chinese = map(_messages, LANGUAGES)
    assert set(english) == set(chinese)
    assert english == chinese
    assert len(english) > 20


def _failure_codes() -> set[str]:
    """Return every failure code in the code: MediaError("…"), `code = "…"`, store.fail(…, "…")."""
    found: set[str] = set()
    for file in [*(ROOT / "appservice").rglob("*.py"), *(ROOT / "transcode").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            found |= _codes_in(node)
    return found


def _codes_in(node: ast.AST) -> set[str]:
    candidates: list[ast.expr | None] = []
    match node:
        case ast.Call(func=ast.Name(id="MediaError"), args=[first, *_]):
            candidates = [first]
        case ast.Call(func=ast.Attribute(attr="fail"), args=[_, code, *_]):
            candidates = [code]
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            candidates = [value]
        case ast.AnnAssign(target=ast.Name(id="code"), value=value):
            candidates = [value]
    return {c.value for c in candidates if isinstance(c, ast.Constant) and isinstance(c.value, str)}


def test_every_failure_has_its_reason() -> None:
    codes = _failure_codes()
    assert {"internal", "media-gone", "hash-mismatch", "not-a-video", "took-too-long"} <= codes
    reasons = {name.removeprefix("failure-") for name in _messages("en") if name.startswith("failure-")}
    assert codes == reasons


def _said() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "appservice").rglob("*.py"))
    return set(re.findall(r'"(bot-[a-z-]+)"', text))


def test_the_bot_says_what_the_catalogue_has_and_nothing_else() -> None:
    assert _said() == {name for name in _messages("en") if name.startswith("bot-")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_bot_can_be_said(language: str) -> None:
    texts = Texts(resources.locales(), language)
    for name, arguments in _messages(language).items():
        if not name.startswith("widget-"):
            text = texts.say(name, {argument: f"<{argument}>" for argument in arguments})
            assert all(f"<{argument}>" in text for argument in arguments), text
            assert "{" not in text


def test_arguments_stand_bare() -> None:
    text = Texts(resources.locales(), "en").say("bot-failed", {"title": "T", "reason": "R."})
    assert text == "“T” cannot be shown. R."


def test_a_missing_translation_falls_back_to_english(tmp_path: Path) -> None:
    (tmp_path / "en.ftl").write_text("one = One\ntwo = Two\nfailure-internal = Ours\n")
    (tmp_path / "zh.ftl").write_text("one = 一\n")
    texts = Texts(tmp_path, "zh")
    assert texts.say("one") == "一"
    assert texts.say("two") == "Two"
    assert texts.failure("never-heard-of") == "Ours"
    with pytest.raises(KeyError, match="three"):
        texts.say("three")


def test_a_failure_is_told_by_its_code() -> None:
    texts = Texts(resources.locales(), "en")
    assert texts.failure("media-gone") == texts.say("failure-media-gone") != texts.failure("internal")
