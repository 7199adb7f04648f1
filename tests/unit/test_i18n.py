"""The catalogues: the same messages in every language, and a reason for every failure that the code knows."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fluent.syntax import ast as fluent
from fluent.syntax import parse
from fluent.syntax.visitor import Visitor

from appservice import resources
from appservice.commands.run import COMMANDS
from appservice.core.languages import LANGUAGES as SPOKEN
from appservice.core.languages import language_of
from appservice.core.model import Kind, State, Visibility
from appservice.core.rules.quotas import QuotaScope
from appservice.core.settings import PersonSettings, RoomSettings
from appservice.i18n import Texts, clock, preferred_language

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "zh", "zh-TW")


class _Arguments(Visitor):
    """Finds the arguments of a message, also those that the messages have which are part of it."""

    def __init__(self, messages: dict[str, fluent.Message]) -> None:
        super().__init__()
        self._messages = messages
        self.written: set[str] = set()
        self.chosen_by: dict[str, set[str]] = {}
        """Those between whose values it chooses, with the values that it names."""

    def visit_VariableReference(self, node: fluent.VariableReference) -> None:  # noqa: N802 - the library's name
        self.written.add(node.id.name)

    def visit_MessageReference(self, node: fluent.MessageReference) -> None:  # noqa: N802 - the library's name
        self.visit(self._messages[node.id.name])

    def visit_SelectExpression(self, node: fluent.SelectExpression) -> None:  # noqa: N802 - the library's name
        if isinstance(node.selector, fluent.VariableReference):
            named = {each.key.name for each in node.variants if isinstance(each.key, fluent.Identifier)}
            self.chosen_by.setdefault(node.selector.id.name, set()).update(named)
        for variant in node.variants:
            self.visit(variant.value)


def _arguments(language: str) -> dict[str, _Arguments]:
    """Return each message's id with its arguments."""
    resource = parse((resources.locales() / f"{language}.ftl").read_text(encoding="utf-8"))
    messages: dict[str, fluent.Message] = {}
    for entry in resource.body:
        assert not isinstance(entry, fluent.Junk), entry.content
        if isinstance(entry, fluent.Message):
            assert entry.id.name not in messages, f"{entry.id.name} is there twice"
            messages[entry.id.name] = entry
    found = {}
    for name, message in messages.items():
        found[name] = _Arguments(messages)
        found[name].visit(message)
    return found


def _messages(language: str) -> dict[str, set[str]]:
    """Return each message's id with the names of its arguments."""
    return {name: each.written | set(each.chosen_by) for name, each in _arguments(language).items()}


def test_there_are_no_other_languages() -> None:
    assert {file.stem for file in resources.locales().glob("*.ftl")} == set(LANGUAGES) == set(SPOKEN)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_catalogue_has_the_same_messages_as_english_with_the_same_arguments(language: str) -> None:
    english, other = _messages("en"), _messages(language)
    assert set(english) == set(other)
    assert english == other
    assert len(english) > 20


# What a copy of the other catalogue, or a converter of characters alone, would leave: words of one side of the strait.
_FOREIGN = {
    "zh": ("您", "直播", "影片", "頻道", "檔案", "伺服器", "連結"),
    "zh-TW": (
        "您",
        "直播",
        "视频",
        "視頻",
        "频道",
        "文件",
        "服务器",
        "服務器",
        "信息",
        "軟件",
        "用戶名",
        "默認",
        "屏幕",
        "上传",
    ),
}


@pytest.mark.parametrize("language", _FOREIGN)
def test_chinese_is_of_one_kind(language: str) -> None:
    text = (resources.locales() / f"{language}.ftl").read_text(encoding="utf-8")
    assert [word for word in _FOREIGN[language] if word in text] == []
    # Characters that were simplified are in one of the two encodings alone: each of those stands for a script.
    script = "gb2312" if language == "zh" else "big5"
    letters = set(re.findall(r"[\u4e00-\u9fff]", text))
    assert len(letters) > 500
    assert {letter for letter in letters if not _has(script, letter)} == set()


def _has(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def failure_codes() -> set[str]:
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
    return {c.value for c in candidates if isinstance(c, ast.Constant) and isinstance(c.value, str) and c.value}


def test_every_failure_has_its_reason() -> None:
    codes = failure_codes()
    assert {"internal", "media-gone", "hash-mismatch", "not-a-video", "took-too-long"} <= codes
    reasons = {name.removeprefix("failure-") for name in _messages("en") if name.startswith("failure-")}
    assert codes | {f"quota-{scope}" for scope in QuotaScope} == reasons


def _said() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "appservice").rglob("*.py"))
    of_commands = {f"bot-{kind}-{command.name}" for command in COMMANDS for kind in ("help", "usage")}
    of_states = {f"bot-state-{state}" for state in State} | {
        f"bot-visibility-{visibility}" for visibility in (Visibility.HIDDEN, Visibility.HELD)
    }
    of_settings = {f"bot-setting-{name}" for name in PersonSettings.names()} | {
        f"bot-room-setting-{name}" for name in RoomSettings.names()
    }
    of_quotas = {f"bot-quota-{scope}" for scope in QuotaScope} | {
        f"bot-quota-near-{scope}" for scope in (QuotaScope.USER, QuotaScope.ROOM)
    }
    return of_quotas | set(re.findall(r'"(bot-[a-z-]+[a-z])"', text)) | of_commands | of_states | of_settings


def test_the_bot_says_what_the_catalogue_has_and_nothing_else() -> None:
    assert _said() == {name for name in _messages("en") if name.startswith("bot-")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_bot_can_be_said(language: str) -> None:
    texts = Texts(resources.locales(), language)
    for name, arguments in _arguments(language).items():
        if not name.startswith(("widget-", "page-")):
            given: dict[str, object] = {argument: f"<{argument}>" for argument in arguments.written}
            text = texts.say(name, given)
            assert all(f"<{argument}>" in text for argument in arguments.written), text
            assert "{" not in text
            for argument in set(arguments.chosen_by) - arguments.written:
                # It is never written, so it must make a difference.
                said = {texts.say(name, {**given, argument: value}) for value in arguments.chosen_by[argument]}
                assert len(said) == len(arguments.chosen_by[argument]) > 1, said


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_failed_is_called_what_it_is(language: str) -> None:
    texts, video = Texts(resources.locales(), language), {"en": "video", "zh": "视频", "zh-TW": "影片"}[language]
    # They count all kinds alike, or say what a file is not.
    of_all = {"not-a-video"} | {f"quota-{scope}" for scope in QuotaScope}
    for code in failure_codes() - of_all:
        for kind in (Kind.IMAGE, Kind.VOICE):
            assert video not in texts.failure(code, kind).lower(), code
        assert texts.failure(code) == texts.failure(code, Kind.VIDEO) == texts.failure(code, "of a later release")


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


def test_a_failure_is_described_by_its_code() -> None:
    texts = Texts(resources.locales(), "en")
    assert texts.failure("media-gone") == texts.say("failure-media-gone") != texts.failure("internal")


def test_pages_say_what_the_catalogue_has_and_nothing_else() -> None:
    # Where a script runs, it says the rest.
    files = [*resources.templates().glob("*.html"), *(ROOT / "widget" / "src").rglob("*.tsx")]
    pages = "".join(page.read_text(encoding="utf-8") for page in files)
    said = set(re.findall(r"\b(?:say|t)\('(page-[a-z-]+)'", pages))
    assert said == {name for name in _messages("en") if name.startswith("page-")}


def test_dates_are_as_people_write_them() -> None:
    date = datetime(2026, 11, 3, tzinfo=UTC)
    said = [Texts(resources.locales(), language).say("page-date", {"date": date}) for language in LANGUAGES]
    assert said == ["November 3, 2026", "2026年11月3日", "2026年11月3日"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("*", "en"), ("zh", "zh"), ("zh-Hans-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh-TW;q=0.7", "zh-TW"),
        ("de, fr;q=0.9", "en"), ("en, zh", "en"), ("ZH", "zh"), ("zh;q=0", "en"), ("zh;q=x", "en"), (",;q=1,;,", "en"),
        ("de;q=1, zh;q=0.001", "zh"), ("zh-HK, zh;q=0.9, en;q=0.8", "zh-TW"), ("zh-Hans-HK, en;q=0.9", "zh"),
    ],
)  # fmt: skip
def test_the_readers_language(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language


def test_chinese_is_of_two_scripts() -> None:
    traditional = ["zh-TW", "zh-Hant", "zh_HK", "zh-Hant-CN", "ZH-hant-hk", "zh-MO"]
    assert {language_of(tag) for tag in traditional} == {"zh-TW"}
    assert {language_of(tag) for tag in ("zh", "zh-CN", "zh-Hans", "zh-Hans-TW", "zh-SG")} == {"zh"}
    assert [language_of(tag) for tag in ("en_GB", "de-TW", "")] == ["en", "de", ""]


def test_lengths_are_as_players_write_them() -> None:
    assert [clock(seconds) for seconds in (0, 7.4, 59.6, 750, 3599.5, 3600, 36_061)] == [
        "0:00", "0:07", "1:00", "12:30", "1:00:00", "1:00:00", "10:01:01",
    ]  # fmt: skip
