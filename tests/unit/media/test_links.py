"""Which files are stored once."""

from pathlib import Path

import pytest

from appservice.media.links import link_same


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name, content in (("new", b"more"), ("old", b"less")):
        (tmp_path / name / "360").mkdir(parents=True)
        (tmp_path / name / "360" / "0.m4s").write_bytes(b"same")
        (tmp_path / name / "360" / "1.m4s").write_bytes(content)
    (tmp_path / "new" / "poster.jpg").write_bytes(b"alone")
    return tmp_path / "new", tmp_path / "old"


def test_the_same_files_are_stored_once(folders: tuple[Path, Path]) -> None:
    new, old = folders
    link_same(new, old)
    assert (new / "360" / "0.m4s").samefile(old / "360" / "0.m4s")
    assert (new / "360" / "1.m4s").read_bytes() == b"more"
    assert sorted(path.name for path in new.rglob("*")) == ["0.m4s", "1.m4s", "360", "poster.jpg"]
    (old / "360" / "0.m4s").unlink()
    assert (new / "360" / "0.m4s").read_bytes() == b"same"


def test_a_stage_that_is_swept_meanwhile_changes_nothing(folders: tuple[Path, Path]) -> None:
    new, _ = folders
    link_same(new, new.with_name("gone"))
    assert (new / "360" / "0.m4s").read_bytes() == b"same"
