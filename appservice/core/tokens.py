"""Session tokens and media grants: signed, short-lived, checked without the database. Pure; the clock is passed in.

Both are HMAC-SHA-256, cut to 128 bits. A session says who watches which room. A media grant is the
first part of a media path, `{exp}.{sig}`, over the scope that follows it, so that relative URIs in
playlists inherit it (HLS has no other way that works in every player).
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from appservice.core.model import RoomId, UserId

GRANT_BUCKET_S = 600
_SIGNATURE_BYTES = 16
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Session:
    """Who watches which room, until when (ms since the epoch); `sign_in`: by which sign-in of a browser, 0: by none."""

    user_id: UserId
    room_id: RoomId
    expires_at: int
    sign_in: int = 0


@dataclass(frozen=True, slots=True)
class GrantScope:
    """What a media grant opens: one membership's view of one room, by our own numbers; `sign_in` as in `Session`."""

    room_key: int
    member_key: int
    sign_in: int = 0

    def __str__(self) -> str:
        return f"{self.room_key}.{self.member_key}" + (f".{self.sign_in}" if self.sign_in else "")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _bytes(text: str) -> bytes:
    # A header that is not UTF-8 reaches us with lone surrogates in it.
    return text.encode("utf-8", "surrogatepass")


def _sign(key: bytes, purpose: str, message: str) -> str:
    # The purpose keeps a signature of one kind from passing as one of another.
    digest = hmac.digest(key, _bytes(f"{purpose}|{message}"), "sha256")
    return _encode(digest[:_SIGNATURE_BYTES])


def _is_signed(key: bytes, purpose: str, message: str, signature: str) -> bool:
    return hmac.compare_digest(_sign(key, purpose, message).encode(), _bytes(signature))


def issue_session(key: bytes, session: Session) -> str:
    """Return the bearer token of `session`."""
    sign_in = [session.sign_in] if session.sign_in else []
    body = _encode(json.dumps([session.user_id, session.room_id, session.expires_at, *sign_in]).encode())
    return f"{body}.{_sign(key, 'session', body)}"


def read_session(key: bytes, token: str, now_ms: int) -> Session | None:
    """Return the session of a bearer token, or None when it is forged, malformed or expired."""
    body, _, signature = token.partition(".")
    if not _is_signed(key, "session", body, signature):
        return None
    user_id, room_id, expires_at, *sign_in = json.loads(_decode(body))
    return Session(UserId(user_id), RoomId(room_id), expires_at, *sign_in) if now_ms < expires_at else None


def issue_secret(key: bytes, expires_s: int) -> str:
    """Return a secret for a browser, `{exp}.{random}.{sig}`; `expires_s`: when the code that goes with it ends."""
    body = f"{expires_s}.{_encode(secrets.token_bytes(_SECRET_BYTES))}"
    return f"{body}.{_sign(key, 'sign-in', body)}"


def secret_expiry(key: bytes, secret: str) -> int | None:
    """Return when the code that was made with a secret ends (seconds since the epoch), None for one not of ours."""
    body, _, signature = secret.rpartition(".")
    return int(body.partition(".")[0]) if _is_signed(key, "sign-in", body, signature) else None


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a browser's secret."""
    return hashlib.sha256(_bytes(secret)).digest()


def grant_expiry(now_s: float) -> int:
    """Return when a grant minted now ends, in seconds since the epoch.

    Rounded to a bucket, so that a viewer's URLs stay the same (and cached) for some minutes; a grant
    lasts between one and two buckets.
    """
    return (int(now_s) // GRANT_BUCKET_S + 2) * GRANT_BUCKET_S


@dataclass(frozen=True, slots=True)
class Grant:
    """A media grant as its path prefix `{exp}.{sig}/{scope}`, with its end in ms since the epoch."""

    path: str
    expires_at: int

    @property
    def base(self) -> str:
        """The path below which all of the room's media lie for this viewer."""
        return f"/media/{self.path}"


def issue_grant(key: bytes, scope: GrantScope, expires_s: int) -> str:
    """Return the path `{exp}.{sig}/{scope}` under which media may be fetched."""
    return f"{expires_s}.{_sign(key, 'media', f'{scope}|{expires_s}')}/{scope}"


def read_grant(key: bytes, grant: str, scope: str, now_s: float) -> GrantScope | None:
    """Return the scope that the path parts `{exp}.{sig}` and `{scope}` open, or None when they open nothing."""
    expires, _, signature = grant.partition(".")
    if not _is_signed(key, "media", f"{scope}|{expires}", signature) or now_s >= int(expires):
        return None
    return GrantScope(*map(int, scope.split(".")))


def decode_unpadded(text: str) -> bytes:
    """Decode base64 in either alphabet, padded or not. Raises ValueError (spec: "Unpadded Base64")."""
    try:
        return _decode(text.rstrip("=").replace("+", "-").replace("/", "_"))
    except binascii.Error as error:
        raise ValueError("not base64") from error


def encode_unpadded(data: bytes) -> str:
    """Encode as base64 of the standard alphabet, without padding (spec: "Unpadded Base64")."""
    return base64.b64encode(data).decode().rstrip("=")
