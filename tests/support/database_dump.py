"""What the service's database has, as one text, and how keys of attachments could be in it."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.installation import Installation


async def dump(installation: Installation) -> str:
    """Return every row of the service's database as text."""
    tables = await installation.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [
        await installation.rows(f'SELECT t::text AS row FROM "{table["tablename"]}" t')  # noqa: S608 - its own name
        for table in tables
    ]
    return "\n".join(row["row"] for table in rows for row in table)


def forms_of(file: Mapping[str, Any]) -> Iterator[str]:
    """Yield each text by which the key of an `EncryptedFile` may be stored."""
    key = base64.urlsafe_b64decode(file["key"]["k"] + "=")
    yield from (key.hex(), base64.b64encode(key).decode().rstrip("="), str(file["key"]["k"]))
