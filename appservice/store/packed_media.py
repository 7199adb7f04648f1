"""Packs what earlier releases stored of videos' media, a part at a time."""

import struct

import structlog

from appservice.store.packing import pack, unpack
from appservice.store.pool import Database
from appservice.store.sql import query

log = structlog.get_logger()

_AT_ONCE = 200


class PackedMediaStore(Database):
    """Packs what earlier releases stored. Every method raises UnavailableError when the database is away."""

    async def pack_some(self) -> bool:
        """Pack a part of what is not, if there is any; return whether there may be more."""
        async with self._transaction() as connection:
            taken = [row["id"] for row in await connection.fetch(*query("take_unpacked", most=_AT_ONCE))]
            for row in await connection.fetch(*query("unpacked_media", ids=taken)) if taken else ():
                try:
                    packed = pack(*unpack(row["renditions"], row["storyboard"]))
                except (ValueError, struct.error) as error:
                    # It is read by nobody; the others are not to wait for it.
                    log.warning("media_unreadable", video_id=str(row["id"]), error=str(error))
                    continue
                await connection.execute(*query("pack_media", id=row["id"], packed=packed))
        return len(taken) == _AT_ONCE
