"""Logging for the whole process: structlog for us, the same form for the libraries that use `logging`."""

import logging
import sys
import zlib

import structlog
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.web import RequestPayloadError

from appservice.config import Log

# Libraries whose ordinary messages would repeat ours, or hold tokens.
_QUIET = ("aiohttp.access", "mau.http", "pgqueuer", "asyncio")


def _is_ours(record: logging.LogRecord) -> bool:
    """Say whether a server's error is our fault: not a client that went away or sent what is not HTTP.

    A body that is not as compressed as it says fails in whichever way it is read.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, ConnectionError | BadHttpMessage | RequestPayloadError | zlib.error)


def set_up_logging(config: Log) -> None:
    """Send everything to standard error, as JSON lines or for people."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if config.format == "json":
        last: list[structlog.typing.Processor] = [
            # Local variables hold tokens: they stay out of the log.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
