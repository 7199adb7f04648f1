"""Commands that texts tell operators to run work as they are written there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import appservice

ROOT = Path(appservice.__file__).parent
# They need the configuration, wherever it is.
NEEDS_CONFIG = re.compile(r"`roomreel (?:admin|check|migrate|generate-registration)\b(?! -c )")


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the literal texts of a module, f-strings in their parts, without its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_a_command_in_a_text_names_the_configuration() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in ROOT.rglob("*.py")
        for text in _texts(ast.parse(path.read_text()))
        if NEEDS_CONFIG.search(text)
    }
    assert not found
