"""Hooks of MkDocs (mkdocs.yml): the pages that are made of what the code says, and those that lie outside of docs/."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from appservice.commands.context import Rank
from appservice.commands.run import COMMANDS
from appservice.i18n import Texts
from appservice.web.app import describe

ROOT = Path(__file__).parent
_ELSEWHERE = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "THREAT_MODEL.md": "threat-model.md",
    "widget/README.md": "widget.md",
}
"""Files of the checkout that are pages of the site as well."""
_COPIED = ("config.yaml.example", "deploy/*", "deploy/*/*")
_LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(#[^)]*)?\)")
_COMMANDS = re.compile(r"<!-- commands: (member|moderator|admin) (en|zh|zh-TW) -->")
_HEADINGS = {"en": ("Command", "What it does"), "zh": ("命令", "作用"), "zh-TW": ("命令", "作用")}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated."""
    generated = {name: (ROOT / source).read_text("utf-8") for source, name in _ELSEWHERE.items()}
    generated["operators/configuration.md"] = _configuration()
    document = describe()
    generated["api.md"] = api_page(json.loads(document))
    generated["openapi.json"] = document.decode()
    for pattern in _COPIED:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file():
                generated[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
    for name, content in generated.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Put the tables of commands into a page, and let its links work in the site as they do in the checkout."""
    sources = {name: source for source, name in _ELSEWHERE.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    text = _COMMANDS.sub(lambda match: command_table(Rank[match[1].upper()], match[2]), markdown)
    return _LINK.sub(lambda match: f"]({_target(source, match[1], page.file.src_uri)}{match[2] or ''})", text)


def command_table(rank: Rank, language: str) -> str:
    """Return the bot's commands of a rank, as Markdown, in the words that the bot uses."""
    texts = Texts(ROOT / "widget" / "locales", language)
    rows = [
        f"| `!reel {_cell(texts.say(f'bot-usage-{each.name}'))}` | {_cell(texts.say(f'bot-help-{each.name}'))} |"
        for each in COMMANDS
        if each.rank is rank
    ]
    return "\n".join([f"| {' | '.join(_HEADINGS[language])} |", "|---|---|", *rows])


def api_page(document: Mapping[str, Any]) -> str:
    """Return the operations and schemas of an OpenAPI document, as Markdown."""
    lines = [
        "# HTTP API",
        "",
        "What the widget uses, and you may. [openapi.json](openapi.json) is the whole document, which every Roomreel "
        "serves at `/api/v1/openapi.json`. A session's token goes into `Authorization: Bearer …`.",
        "",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += [f"## `{method.upper()} {path}`", "", operation["summary"] + ".", ""]
            lines += _operation(operation)
    lines += ["## Schemas", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += [f"### {name}", "", schema.get("description", ""), "", *_schema(schema)]
    return "\n".join(lines)


def _operation(operation: Mapping[str, Any]) -> Iterator[str]:
    if parameters := operation.get("parameters"):
        yield from ("| Parameter | In | |", "|---|---|---|")
        for each in parameters:
            yield f"| `{each['name']}` | {each['in']} | {_cell(each.get('description', ''))} |"
        yield ""
    if body := operation.get("requestBody"):
        yield from (f"Body: {_contents(body['content'])}", "")
    yield from ("| Status | | Content |", "|---|---|---|")
    for status, response in sorted(operation["responses"].items()):
        yield f"| {status} | {_cell(response['description'])} | {_contents(response.get('content', {}))} |"
    yield ""


def _contents(content: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{_type(each['schema'])}" if media_type == "application/json" else f"`{media_type}`"
        for media_type, each in content.items()
    )


def _schema(schema: Mapping[str, Any]) -> Iterator[str]:
    if "properties" not in schema:
        yield from (_type(schema), "")
        return
    yield from ("| Field | Type | |", "|---|---|---|")
    for name, each in schema["properties"].items():
        optional = "" if name in schema.get("required", ()) else " (optional)"
        yield f"| `{name}` | {_cell(_type(each))}{optional} | {_cell(each.get('description', ''))} |"
    yield ""


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(_type(each) for each in schema[word])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("const") or schema.get("type") or "any")


def _configuration() -> str:
    example = (ROOT / "config.yaml.example").read_text("utf-8")
    return (
        "# Configuration\n\n`roomreel init` writes this file, with your answers in it; "
        "`roomreel check -c config.yaml` says what is wrong with it.\n\n"
        f"```yaml\n{example}```\n"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _target(source: str, link: str, page: str) -> str:
    """Return where a link of a file of the checkout leads to, from a page of the site."""
    if not link:
        return link
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    if path in _ELSEWHERE:
        path = _ELSEWHERE[path]
    elif path.startswith("docs/"):
        path = path.removeprefix("docs/")
    elif not any(Path(path).match(pattern) for pattern in _COPIED):
        return link
    return posixpath.relpath(path, posixpath.dirname(page) or ".")
