"""Look for secrets in logs."""

import base64


def forms(*secrets: bytes) -> list[str]:
    """Return the forms in which bytes may be written."""
    return [
        form
        for secret in secrets
        for form in (
            secret.hex(), base64.b64encode(secret).decode().rstrip("="), repr(secret)[2:-1],
            base64.urlsafe_b64encode(secret).decode().rstrip("="),
        )
    ]  # fmt: skip
