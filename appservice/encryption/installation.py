"""Makes mautrix.crypto usable without libolm. Imports nothing of the extra before `install` is called."""

import importlib
import importlib.util
import logging
import sys
from types import ModuleType

from mautrix.util.logging import TraceLogger

from appservice.core.errors import EncryptionNotInstalledError

_STAND_IN = "appservice.encryption.olm"
_LOGGERS = ("mau.crypto", "mau.db", "mau.db.upgrade")
# Module by module, what the extra `encryption` installs.
_REQUIRED = {"vodozemac": "vodozemac", "unpaddedbase64": "unpaddedbase64", "base58": "base58", "Crypto": "pycryptodome"}


def install() -> None:
    """Make `import olm` find our module, so that mautrix.crypto can be imported; again does nothing.

    Raises EncryptionNotInstalledError when a package of the extra is missing, RuntimeError when python-olm or
    mautrix.crypto was imported before: the two must not be mixed.
    """
    if missing := missing_packages():
        raise EncryptionNotInstalledError(missing)
    stand_in = importlib.import_module(_STAND_IN)
    if sys.modules.get("olm") is stand_in:
        return
    loaded = [name for name in ("olm", "_libolm", "mautrix.crypto") if name in sys.modules]
    if loaded:
        raise RuntimeError(f"{loaded[0]} is loaded already: encryption has to be installed before it.")
    # Set again: structlog has its own, and mautrix' loggers must be of mautrix' class.
    logging.setLoggerClass(TraceLogger)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)  # the rest names devices and keys, at each event
    libolm = ModuleType("_libolm", "What mautrix.crypto imports to describe sessions of libolm.")
    libolm.ffi = libolm.lib = None  # type: ignore[attr-defined]  # mautrix looks for functions in them, and does without
    sys.modules.update({"olm": stand_in, "_libolm": libolm})


def missing_packages() -> list[str]:
    """Return which packages of the extra are not installed."""
    return [package for module, package in _REQUIRED.items() if not _installed(module)]


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # what stands for it in sys.modules has no spec
        return False
