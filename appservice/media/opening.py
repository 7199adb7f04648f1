"""Opens the configured storage: the folders below `data_dir`, or object storage."""

from pathlib import Path

from appservice.config import Config
from appservice.media.files import LocalFiles
from appservice.media.local_exports import ExportFolder
from appservice.media.local_uploads import UploadFolder
from appservice.media.storage import Leases, Storage

# A look at folders, which are mostly empty, costs nothing; requests are paid for.
_SWEEP_S = 3.0


def open_storage(config: Config, leases: Leases, cache: Path | None) -> Storage:
    """Return what is configured; what is read from object storage is cached in the folder `cache`, which is ours alone.

    Raises ConfigError.
    """
    if config.storage.url is None or cache is None:
        files = LocalFiles(config.data_dir / "media")
        uploads, exports = UploadFolder(config.data_dir / "uploads"), ExportFolder(config.data_dir / "exports")
        return Storage(files, uploads, exports, _SWEEP_S)
    # It takes megabytes, which installations with local folders spare.
    from appservice.media.object_opening import open_object_storage

    return open_object_storage(config.storage, leases, cache)
