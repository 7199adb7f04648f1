"""Prometheus metrics, served on a listener of their own."""

from prometheus_client import Counter, Gauge, Histogram

TRANSACTIONS = Counter("roomreel_transactions_total", "Transactions from the homeserver", ["outcome"])
EVENTS = Counter("roomreel_events_total", "Events of transactions by what became of them", ["outcome"])
ENCRYPTED_EVENTS = Counter(
    "roomreel_encrypted_events_total", "Events of encrypted rooms by what became of them", ["outcome"]
)
ENCRYPTION_OWNED = Gauge("roomreel_encryption_owned", "1 where this process decrypts and encrypts, of all processes")
VIDEOS_FAILED = Counter("roomreel_videos_failed_total", "Videos that ended with a reason", ["code"])
VIDEO_SECONDS = Histogram(
    "roomreel_video_seconds",
    "Seconds from the start of a successful attempt to ready",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600),
)
LOWER_RUNGS = Counter(
    "roomreel_lower_rungs_total", "Videos whose rungs below a stream copy were left out, wanted, made", ["outcome"]
)
VIDEOS = Gauge("roomreel_videos", "Videos by state", ["state"])
BYTES_IN = Counter("roomreel_downloaded_bytes_total", "Bytes of media fetched from the homeserver")
CONNECTIONS_CLOSED = Counter(
    "roomreel_connections_closed_total", "Connections closed by a limit or deadline", ["reason"]
)
VIEWERS = Gauge("roomreel_viewers", "Widgets that listen for changes")
