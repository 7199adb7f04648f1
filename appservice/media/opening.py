"""Opens the configured storage: the folders below `data_dir`, object storage, or one while it is moved to the other."""

from contextlib import nullcontext
from pathlib import Path

from appservice.config import Config, Place
from appservice.core.errors import ConfigError
from appservice.media.deleting import Deleting
from appservice.media.files import LocalFiles
from appservice.media.local_exports import ExportFolder
from appservice.media.local_uploads import UploadFolder
from appservice.media.storage import Leases, Storage

# A look at folders, which are mostly empty, costs nothing; requests are paid for.
_SWEEP_S = 3.0


def open_storage(config: Config, leases: Leases, cache: Path | None, deleting: Deleting = nullcontext) -> Storage:
    """Return what is configured. `cache` is a folder that is ours alone, where not all is local.

    `deleting` is entered while local files are deleted.

    Raises ConfigError.
    """
    if config.storage.also is None or cache is None:
        return _open(config, config.storage, leases, cache, deleting)
    from appservice.media.moving import moving

    scratch = cache / "moving"
    scratch.mkdir()
    return moving(*open_both(config, leases, cache, deleting), scratch)


def open_both(config: Config, leases: Leases, cache: Path, deleting: Deleting = nullcontext) -> tuple[Storage, Storage]:
    """Return storage as it is configured, and the place that it is moved from. Raises ConfigError."""
    also = config.storage.also
    if also is None:
        raise ConfigError("`storage.also` is not set: it names the place to move from. See docs/storage.md.")
    (cache / "also").mkdir()
    chosen = _open(config, config.storage, leases, cache, deleting)
    return chosen, _open(config, also, leases, cache / "also", deleting)


def _open(config: Config, place: Place, leases: Leases, cache: Path | None, deleting: Deleting) -> Storage:
    if place.url is None or cache is None:
        files = LocalFiles(config.data_dir / "media", deleting)
        uploads, exports = (
            UploadFolder(config.data_dir / "uploads", deleting),
            ExportFolder(config.data_dir / "exports"),
        )
        return Storage(files, uploads, exports, _SWEEP_S)
    # It takes megabytes, which installations with local folders spare.
    from appservice.media.object_opening import open_object_storage

    return open_object_storage(config.storage, place, leases, cache)
