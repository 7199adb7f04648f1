"""Prometheus metrics, served on a listener of their own. docs/metrics.md says what each means.

No label takes a value that anybody else chose: `Labelled` counts what is not declared here as `other`.
"""

import itertools
from collections.abc import Collection
from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram, Info

from appservice import __version__
from appservice.core.jobs import Queue, names_in
from appservice.core.model import State

Metric = TypeVar("Metric", Counter, Gauge, Histogram)

OTHER = "other"
"""The value of a label in place of one that is not declared."""

FAILURE_CODES = (
    "empty-file", "not-a-video", "not-a-picture", "not-a-sound", "broken-file", "no-decoder", "too-long",
    "too-large-picture", "too-high-frame-rate", "too-many-streams", "took-too-long", "tool-missing", "failed",
    "media-gone", "never-uploaded", "media-too-large", "download-failed", "hash-mismatch", "encrypted-file",
    "room-encrypted", "blocked", "quota-user", "quota-room", "quota-server", "disk-full", "overloaded", "internal",
)  # fmt: skip
"""Why a video fails; each has a text in the catalogues."""

ENDPOINTS = (
    "account", "context", "create_room", "directory", "download", "event", "join", "joined_rooms", "keys", "leave",
    "media", "messages", "ping", "profile", "redact", "register", "relations", "send", "state", "sync", "upload",
)  # fmt: skip
"""The classes of the homeserver's endpoints."""

# From what is at once, by what a viewer waits for, to what a long video takes.
_WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Labelled(Generic[Metric]):
    """A metric whose labels take only the values declared with it, in the order of its labels.

    Counters are there from the start, so that `rate` sees the first increment; of histograms most would stay empty.
    """

    def __init__(self, metric: Metric, *values: Collection[str]) -> None:
        self._metric: Metric = metric
        self.values = [frozenset(each) for each in values]
        if isinstance(metric, Counter):
            for each in itertools.product(*values):
                metric.labels(*each)

    def labels(self, *values: str, **named: str) -> Metric:
        """Return the child of these values."""
        chosen = zip((*values, *named.values()), self.values, strict=True)
        child: Metric = self._metric.labels(*(value if value in known else OTHER for value, known in chosen))
        return child

    def clear(self) -> None:
        """Forget all values: unknown is not zero."""
        self._metric.clear()


BUILD = Info("roomreel_build", "The release that runs")
BUILD.info({"version": __version__})

# Events from the homeserver
TRANSACTIONS = Labelled(
    Counter("roomreel_transactions_total", "Transactions from the homeserver", ["outcome"]),
    ("stored", "refused", "failed"),
)
TRANSACTION_SECONDS = Histogram(
    "roomreel_transaction_seconds", "Seconds from a transaction's request to its response", buckets=_REQUESTS
)
EVENTS = Labelled(
    Counter("roomreel_events_total", "Events of transactions by what became of them", ["outcome"]),
    ("taken", "ignored", "malformed"),
)
ENCRYPTED_EVENTS = Labelled(
    Counter("roomreel_encrypted_events_total", "Events of encrypted rooms by what became of them", ["outcome"]),
    ("decrypted", "withheld", "key_missing", "postponed", "unreadable"),
)
ENCRYPTION_OWNED = Gauge("roomreel_encryption_owned", "1 where this process decrypts and encrypts, of all processes")

# The work on videos
VIDEOS = Labelled(Gauge("roomreel_videos", "Videos by state", ["state"]), tuple(State))
VIDEOS_FAILED = Labelled(
    Counter("roomreel_videos_failed_total", "Videos that ended with a reason", ["code"]), FAILURE_CODES
)
VIDEO_SECONDS = Histogram(
    "roomreel_video_seconds",
    "Seconds from the start of a successful attempt to ready",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600),
)
PLAYABLE_SECONDS = Histogram(
    "roomreel_time_to_playable_seconds", "Seconds from the arrival of a video's event until it plays", buckets=_WAITS
)
READY_SECONDS = Histogram(
    "roomreel_time_to_ready_seconds", "Seconds from the arrival of a video's event until it is ready", buckets=_WAITS
)
LOWER_RUNGS = Labelled(
    Counter(
        "roomreel_lower_rungs_total", "Videos whose rungs below a stream copy were left out, wanted, made", ["outcome"]
    ),
    ("left_out", "wanted", "wanted_when_idle", "made", "failed"),
)
RUNNER_JOBS = Labelled(
    Counter("roomreel_runner_jobs_total", "Ladders offered to runners, and what became of them", ["outcome"]),
    ("offered", "leased", "done", "refused", "lost", "returned"),
)
RUNNER_BYTES = Labelled(
    Counter("roomreel_runner_bytes_total", "Bytes sent to runners, and received from them", ["direction"]),
    ("sent", "received"),
)
BYTES_IN = Counter("roomreel_downloaded_bytes_total", "Bytes of media fetched from the homeserver")

# The queues
_JOBS = tuple(dict.fromkeys(name for queue in Queue for name in names_in(queue)))
JOBS = Labelled(
    Counter("roomreel_jobs_total", "Runs of jobs by kind and what became of them", ["kind", "outcome"]),
    _JOBS, ("done", "postponed", "refused", "broken", "taken", "stopped"),
)  # fmt: skip
JOB_SECONDS = Labelled(
    Histogram("roomreel_job_seconds", "Seconds that a run of a job took", ["kind"], buckets=_WAITS), _JOBS
)
QUEUE_STATES = ("due", "later", "taken")
QUEUE_JOBS = Labelled(
    Gauge("roomreel_queue_jobs", "Jobs in the queues: due, due later, or taken by a worker", ["queue", "state"]),
    tuple(Queue), QUEUE_STATES,
)  # fmt: skip
QUEUE_OLDEST = Labelled(
    Gauge("roomreel_queue_oldest_seconds", "Seconds for which the job that waits longest has been due", ["queue"]),
    tuple(Queue),
)

# Storage and database
STORAGE_BYTES = Labelled(
    Gauge("roomreel_storage_bytes", "Bytes of stored media by kind", ["kind"]), ("videos", "exports", "uploads")
)
DISK_FREE = Gauge("roomreel_disk_free_bytes", "Bytes that are free on the disk of data_dir")
DISK_SIZE = Gauge("roomreel_disk_size_bytes", "Bytes of the disk of data_dir")
DATABASE_UP = Gauge("roomreel_database_up", "1 where the database responded when these metrics were last read")
DATABASE_CONNECTIONS = Labelled(
    Gauge("roomreel_database_connections", "Connections of this process to the database", ["state"]), ("idle", "used")
)
DATABASE_CONNECTIONS_LIMIT = Gauge(
    "roomreel_database_connections_limit", "Connections that this process may have to the database"
)

# The homeserver
HOMESERVER_OUTCOMES = ("ok", "refused", "limited", "failed", "unreachable")
HOMESERVER_SECONDS = Labelled(
    Histogram(
        "roomreel_homeserver_request_seconds", "Seconds until the homeserver's response", ["endpoint", "outcome"],
        buckets=_REQUESTS,
    ),
    (*ENDPOINTS, OTHER), HOMESERVER_OUTCOMES,
)  # fmt: skip

# Viewers
CONNECTIONS_CLOSED = Labelled(
    Counter("roomreel_connections_closed_total", "Connections closed by a limit or deadline", ["reason"]),
    ("address", "total", "slow"),
)
VIEWERS = Gauge("roomreel_viewers", "Widgets that listen for changes")
STREAM_LAG = Histogram(
    "roomreel_event_stream_lag_seconds",
    "Seconds from the notification of a room's change to its delta being sent",
    buckets=(0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30),
)


def endpoint_of(path: str) -> str:
    """Return the class of a path of the homeserver's: by its place, for ids and types are anybody's."""
    parts = [*path.partition("/_matrix/")[2].split("/"), "", "", "", ""]
    if parts[0] == "media":
        return "upload" if parts[2] == "upload" else "media"
    if parts[0] != "client":
        return OTHER
    if parts[2] == "rooms":
        word = parts[4]
    elif parts[2:4] == ["media", "download"]:
        word = "download"
    else:
        word = {"createRoom": "create_room", "appservice": "ping"}.get(parts[2], parts[2])
    return word if word in ENDPOINTS else OTHER
