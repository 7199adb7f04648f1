"""Finds the files that come with the package: migrations, widget assets, texts, the example of a configuration."""

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_assets"
# A wheel carries the files inside the package; a checkout has them beside it.
_ROOT = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent


def migrations() -> Path:
    """Return the folder of numbered SQL files."""
    return _ROOT / "migrations"


def widget_assets() -> Path:
    """Return the folder of the built widget (Vite's outDir)."""
    return _ROOT / "widget" / "dist" / "app"


def host_assets() -> Path:
    """Return the folder of the demo's built host page."""
    return _ROOT / "widget" / "dist" / "host"


def templates() -> Path:
    """Return the folder of Jinja2 templates."""
    return _ROOT / "widget" / "templates"


def avatar() -> Path:
    """Return the bot's avatar, a PNG."""
    return Path(__file__).parent / "avatar.png"


def locales() -> Path:
    """Return the folder of Fluent catalogues, one `<language>.ftl` each."""
    return _ROOT / "widget" / "locales"


def example() -> Path:
    """Return the configuration's example, in which every key is explained."""
    return _ROOT / "config.yaml.example"
