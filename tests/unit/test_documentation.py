"""What the documents show can be done: commands are parsed, configuration is validated, links and pages exist."""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from appservice.__main__ import _parser
from appservice.commands.context import Rank
from appservice.commands.run import COMMANDS
from appservice.config import Config
from docs_site import api_page, command_table

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "widget" / "README.md"], key=lambda path: str(path)
)
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ELSEWHERE = frozenset({"cd", "cp", "docker", "journalctl", "pip", "sudo"})
"""Programs of others, whose arguments we do not know."""


@dataclass(frozen=True)
class Block:
    """A block of code: `place` says where it is."""

    place: str
    language: str
    text: str


def _blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            dedented = re.sub(rf"(?m)^{match[1]}", "", match[3])
            yield Block(f"{path.relative_to(ROOT)}:{line}", match[2], dedented)


BLOCKS = list(_blocks())


def _of(language: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", chosen, ids=[block.place for block in chosen])


def test_each_block_says_what_it_is() -> None:
    known = {"sh", "yaml", "json", "python", "text", "ini", "html"}
    assert [block.place for block in BLOCKS if block.language not in known] == []
    assert len(BLOCKS) > 10


@_of("sh")
def test_commands_are_those_that_there_are(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text.encode(), check=True)
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        match words[0]:
            case "roomreel":
                _parser().parse_args(words[1:])
            case "./run":
                assert words[1] in _run_commands(), line
            case program:
                assert program in _ELSEWHERE, line


def _run_commands() -> list[str]:
    return re.findall(r"(?m)^    (\w+)\)$", (ROOT / "run").read_text().partition("case $command in")[2])


@_of("yaml")
def test_configuration_is_valid(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if block.text.startswith("# ") and block.text.partition("\n")[0].endswith((".yaml", ".yml")):
        return  # another program's
    example = yaml.safe_load((ROOT / "config.yaml.example").read_text())
    for key, value in content.items():
        old = example.get(key)
        example[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    example["appservice"] |= {"as_token": "a" * 40, "hs_token": "b" * 40}
    Config.model_validate(example)


@_of("json")
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@_of("python")
def test_python_is_python(block: Block) -> None:
    compile(block.text, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_is_there(path: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    pages = {"api.md", "operators/configuration.md", "openapi.json", "configuration.md"}  # made by docs_site.py
    assert [link for link in links if not (path.parent / link).exists() and link not in pages] == []


@pytest.mark.parametrize("language", ["en", "zh", "zh-TW"])
def test_each_command_of_the_bot_is_in_the_table_of_its_rank(language: str) -> None:
    tables = {rank: command_table(rank, language) for rank in Rank}
    rows = sum(table.count("\n| `!reel ") for table in tables.values())
    assert rows == len(COMMANDS)
    # A cell with a `|` of its own would be two.
    for table in tables.values():
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()} == {3}


def test_the_page_of_the_api_has_every_operation_and_schema() -> None:
    operation = {
        "summary": "Do it",
        "parameters": [{"name": "id", "in": "path", "description": "which|one"}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
        "responses": {"200": {"description": "Done", "content": {"text/plain": {}}}},
    }
    thing = {"properties": {"name": {"type": "string"}, "of": {"anyOf": [{"type": "null"}, {"const": 3}]}}}
    page = api_page({"paths": {"/x/{id}": {"put": operation}}, "components": {"schemas": {"Thing": thing}}})
    wanted = (
        "## `PUT /x/{id}`",
        "| `id` | path | which\\|one |",
        "Body: [Thing](#thing)",
        "| 200 | Done | `text/plain` |",
        "### Thing",
        "| `of` | null or 3 (optional) |",
    )
    assert [text for text in wanted if text not in page] == [], page
