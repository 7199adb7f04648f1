"""The one exception tree: what can go wrong, in texts by which the reader knows what to do."""

from typing import ClassVar


class RoomreelError(Exception):
    """Root of all errors of ours. The text is a full sentence for a person."""


class ConfigError(RoomreelError):
    """The configuration is wrong; the text names the key and the mend. Exit code 2."""


class MigrationError(RoomreelError):
    """The database's schema and the migrations on disk do not fit together."""


class BackupError(RoomreelError):
    """A backup could not be made, or is not whole, or may not be restored here."""


class EmbeddedPostgresError(RoomreelError):
    """The PostgreSQL that we start ourselves did not start."""


class MalformedEventError(RoomreelError):
    """An event lacks what its type needs, or holds it in the wrong form; it is logged and skipped."""


class HomeserverError(RoomreelError):
    """The homeserver could not be reached, or its response is not as the client-server API has it."""


class RefusedByHomeserverError(HomeserverError):
    """The homeserver refused the request itself: the same one will never succeed. `errcode` as it says."""

    def __init__(self, text: str, errcode: str | None = None) -> None:
        super().__init__(text)
        self.errcode = errcode


class EncryptionNotInstalledError(RoomreelError):
    """The optional packages for encrypted rooms are missing."""

    def __init__(self, packages: list[str]) -> None:
        super().__init__(
            f"Encrypted rooms need packages that are not installed ({', '.join(packages)}): "
            "`pip install 'roomreel[encryption]'`."
        )


class MediaError(RoomreelError):
    """A file could not be had from the homeserver.

    `code` is the stable name of the reason (a `failure-<code>` message exists for it) and
    `final` says that trying again is pointless.
    """

    def __init__(self, code: str, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.code = code
        self.final = final


class NotYetUploadedError(RoomreelError):
    """The event is there before its file: the homeserver expects the upload still (MSC2246)."""


class RequestError(RoomreelError):
    """A request whose response is an error (Matrix client-server API, "Standard error response")."""

    status: ClassVar[int] = 400
    errcode: ClassVar[str] = "M_UNKNOWN"

    @property
    def public(self) -> str:
        """Return what whoever sent the request reads; the text itself, where that is no operator's matter."""
        return str(self)


class BadJsonError(RequestError):
    """The body is not the JSON that the endpoint takes."""

    errcode = "M_BAD_JSON"


class UnknownTokenError(RequestError):
    """The token is missing, expired, forged or not known to its homeserver."""

    status = 401
    errcode = "M_UNKNOWN_TOKEN"


class ForbiddenError(RequestError):
    """The caller is known, and has no permission."""

    status = 403
    errcode = "M_FORBIDDEN"


class NeverPublicError(ForbiddenError):
    """A video is encrypted on this server, or its room is: it is shown to nobody outside."""


class NotFoundError(RequestError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    errcode = "M_NOT_FOUND"


class ConflictError(RequestError):
    """Somebody else was faster, and the caller has not seen their change."""

    status = 409
    errcode = "M_CONFLICT"


class GoneError(RequestError):
    """It was there and is replaced: fetch the room again."""

    status = 410
    errcode = "M_GONE"


class UnavailableError(RequestError):
    """A part that we need (database, homeserver) does not respond; the same request may succeed later."""

    status = 503
    errcode = "M_UNAVAILABLE"


class DatabaseUnavailableError(UnavailableError):
    """The database does not respond. Its text may have addresses and names of accounts."""

    @property
    def public(self) -> str:
        """Return that without what is the operator's."""
        return "The database does not respond. Try again in a moment."


class StorageUnavailableError(UnavailableError):
    """Object storage does not respond, or refuses us; the same request may succeed in some seconds.

    Its text may have addresses, and names of buckets and objects.
    """

    @property
    def public(self) -> str:
        """Return that without what is the operator's."""
        return "The server's storage does not respond. Try again in a moment."


class HeldBackError(UnavailableError):
    """A backup is being made, which needs the files that were to be deleted: they go after it."""


class TooLargeError(RequestError):
    """The body, or what it announces, is larger than we take."""

    status = 413
    errcode = "M_TOO_LARGE"


class LimitExceededError(RequestError):
    """The caller has, or requested, as much of it as one may at a time."""

    status = 429
    errcode = "M_LIMIT_EXCEEDED"

    def __init__(self, text: str, *, retry_after: float | None = None) -> None:
        """`retry_after`: in how many seconds the same request may succeed, where that is known."""
        super().__init__(text)
        self.retry_after = retry_after


class UserLimitError(RequestError):
    """The caller has as much as one person may have (MSC4335)."""

    status = 403
    errcode = "M_USER_LIMIT_EXCEEDED"


class RoomLimitError(RequestError):
    """The room has as much as it may have."""

    status = 403
    errcode = "M_RESOURCE_LIMIT_EXCEEDED"


class ProtocolVersionError(RequestError):
    """The request is of a version of its protocol that is not supported."""

    status = 412
    errcode = "M_UNRECOGNIZED"


class ContentTypeError(RequestError):
    """The body is of a type that the endpoint does not take."""

    status = 415
    errcode = "M_UNRECOGNIZED"


class LockedError(RequestError):
    """Another request is at it; the same one may succeed later."""

    status = 423
    errcode = "M_LOCKED"


class InvalidHeaderError(RequestError):
    """A header is missing, or not of the form that its specification gives it."""

    errcode = "M_INVALID_PARAM"


class InvalidParamError(RequestError):
    """A parameter of the address is not of the form that the endpoint takes."""

    errcode = "M_INVALID_PARAM"


class BrokenOffError(RequestError):
    """The connection was lost, or silent for too long, before the body's end."""

    status = 408


class StorageFullError(RequestError):
    """The disk is full; what has arrived so far is stored."""

    status = 507
    errcode = "M_RESOURCE_LIMIT_EXCEEDED"


class TakenError(Exception):
    """Another process has taken the job, which waited in this one."""
