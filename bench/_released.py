"""What operators install: roomreel with the distributions that it requires, and no others of this environment."""

from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def distributions(name: str = "roomreel") -> list[Distribution]:
    """Return a distribution of this environment and all that it requires without extras."""
    found: dict[str, Distribution] = {}
    wanted: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        item = wanted.pop()
        if item in seen:
            continue
        seen.add(item)
        each, extras = item
        found[each] = distribution(each)
        for requirement in map(Requirement, found[each].requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
                wanted.append((requirement.name.lower().replace("_", "-"), frozenset(requirement.extras)))
    return list(found.values())


def installed_bytes(those: list[Distribution]) -> dict[str, int]:
    """Return the bytes of the files of each distribution, without what Python compiles at the first start."""
    return {
        each.name: sum(path.stat().st_size for path in _files(each) if path.suffix != ".pyc" and path.is_file())
        for each in those
    }


def link(those: list[Distribution], folder: Path) -> None:
    """Make a folder to import from in which there is nothing else."""
    for each in those:
        root = Path(str(each.locate_file("")))
        for top in {path.relative_to(root).parts[0] for path in _files(each) if path.is_relative_to(root)} - {".."}:
            if not (folder / top).exists():
                (folder / top).symlink_to(root / top)


def _files(each: Distribution) -> list[Path]:
    return [Path(str(each.locate_file(file))) for file in each.files or () if ".." not in file.parts]
