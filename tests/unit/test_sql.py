"""Named queries: how they are read, and that every call passes just what a query's parameters are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import appservice
from appservice.store.sql import QUERIES, by_name, load, query

CODE = Path(appservice.__file__).parent


def test_names_become_numbers_in_the_order_of_their_first_use() -> None:
    (found,) = load("a.sql", "-- name: a\n-- What it is for.\nSELECT :b, :a::text WHERE :a = :b;\n")
    assert (found.name, found.doc) == ("a", "What it is for.")
    assert found.text == "SELECT $1, $2::text WHERE $2 = $1"
    assert found.parameters == ("b", "a")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now()::date, '12:30'::time, 'it''s :a'",
        """SELECT 1 AS ":a" """,
        "SELECT '{\"a\":true}'::jsonb ? 'a'",
        "-- Of :a, or somebody's.\nSELECT 1",
    ],
)
def test_what_only_looks_like_a_parameter_is_none(text: str) -> None:
    (found,) = load("a.sql", f"-- name: a\n{text};\n")
    assert found.parameters == ()
    assert "$" not in found.text


def test_a_text_between_slashes_and_stars_is_no_parameter_and_an_argument_of_a_function_is() -> None:
    (found,) = load("a.sql", "-- name: a\nSELECT /* :x */ now() - make_interval(secs => :idle_seconds);\n")
    assert found.parameters == ("idle_seconds",)


def test_a_call_is_the_text_with_its_arguments_in_order() -> None:
    text, *arguments = query("set_person", settings={"a": 1}, user_id="@a:x")
    names = QUERIES["set_person"].parameters
    assert dict(zip(names, arguments, strict=True)) == {"user_id": "@a:x", "settings": {"a": 1}}
    assert query("set_person", user_id="@b:x", settings={})[0] is text, "asyncpg prepares each text once"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user_id": "@a:x"}, "The query set_person has no value for settings."),
        ({"user_id": "@a:x", "settings": {}, "old": 1}, "The query set_person has no parameter old."),
        (
            {"user": "@a:x", "settings": {}},
            "The query set_person has no value for user_id and has no parameter user.",
        ),
    ],
)
def test_other_arguments_are_an_error_that_names_query_and_parameter(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        query("set_person", **arguments)
    assert str(caught.value) == message


def test_there_is_no_other_query() -> None:
    with pytest.raises(TypeError, match=r"There is no query set_persons\."):
        query("set_persons")


def test_two_queries_of_one_name_are_an_error() -> None:
    one, another = load("a.sql", "-- name: a\nSELECT 1;\n") + load("b.sql", "-- name: a\nSELECT 2;\n")
    with pytest.raises(ValueError, match=r"Two queries are called a\."):
        by_name([one, another])


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted(CODE.rglob("*.py")):
        code = file.read_text(encoding="utf-8")
        if file.parent.name != "store" and "appservice.store.sql" not in code:
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "query",
                "self._fetch",
                "self._fetchrow",
                "self._holding",
            }:
                yield f"{file.relative_to(CODE)}:{node.lineno}", node


def test_queries_are_in_the_file_of_a_module_that_calls_them() -> None:
    callers: dict[str, set[str]] = {}
    for place, call in _calls():
        if isinstance(name := call.args[0], ast.Constant):
            callers.setdefault(str(name.value), set()).add(Path(place.split(":")[0]).stem)
    strays = [
        f"{found.name} of {file.name}: {callers[found.name]}"
        for file in (CODE / "store" / "queries").iterdir()
        for found in load(file.name, file.read_text(encoding="utf-8"))
        if file.stem not in callers[found.name]
    ]
    assert not strays


def test_every_call_passes_just_the_parameters_of_its_query_and_every_query_is_called() -> None:
    wrong: list[str] = []
    called: set[str] = set()
    for place, call in _calls():
        match call.args:
            case [ast.Constant(value=str(name))] if name in QUERIES:
                called.add(name)
                passed = [str(keyword.arg) for keyword in call.keywords]
                if sorted(passed) != sorted(QUERIES[name].parameters):
                    wrong.append(f"{place}: {name} has {QUERIES[name].parameters}, not {passed}")
            case _ if not place.startswith("store/pool.py"):  # `Database` passes on what it is given
                wrong.append(f"{place}: {ast.unparse(call)}")
    assert not wrong
    assert called == QUERIES.keys()
