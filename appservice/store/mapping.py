"""Makes the rows of queries what the core knows."""

import math
from typing import Any

import asyncpg

from appservice.core.model import (
    Arrival,
    EncryptedFile,
    EventId,
    HeldFor,
    History,
    Kind,
    LowerRungs,
    Media,
    RoomId,
    SentFile,
    Spoiler,
    State,
    UserId,
    Video,
    VideoId,
    Visibility,
    Withheld,
    Work,
)
from appservice.core.room import Member, Membership, Room
from appservice.core.settings import RoomSettings
from appservice.core.web.room_state import SOME_RENDITIONS
from appservice.store.packing import unpack
from transcode.hls.captions import Captions
from transcode.source.audio_loss import AudioLoss

Row = asyncpg.Record
"""A row as a query returns it, for those who know no database."""


_FILE_FIELDS = ("key", "iv", "sha256")
_KEY_BYTES = 32


def encrypted_file_json(file: EncryptedFile | None) -> dict[str, str] | None:
    """Return what is stored of an attachment's key; `read_video` reads it back.

    That a key is sealed shows in its length: releases before that take nothing but these fields, and would list no
    video of the room.
    """
    return {name: getattr(file, name).hex() for name in _FILE_FIELDS} if file else None


def read_stored_file(value: dict[str, Any] | None) -> EncryptedFile | None:
    """Read what `encrypted_file_json` returned."""
    if not value:
        return None
    key, iv, sha256 = (bytes.fromhex(value[name]) for name in _FILE_FIELDS)
    return EncryptedFile(key, iv, sha256, sealed=len(key) > _KEY_BYTES)


def read_video(row: asyncpg.Record) -> Video:
    """Read a row of `videos`."""
    return Video(
        id=VideoId(str(row["id"])),
        event_id=EventId(row["event_id"]),
        room_id=RoomId(row["room_id"]),
        sent_in=RoomId(row["sent_in"]),
        sender=UserId(row["sender"]),
        title=row["title"],
        created_at=row["sent_at"],
        file=SentFile(
            row["mxc"],
            read_stored_file(row["encrypted_file"]),
            row["certain"],
            row["claimed_size"],
            row["awaited_since"],
        ),
        state=State(row["state"]),
        visibility=Visibility(row["visibility"]),
        failure=row["failure"],
        kind=Kind(row["kind"]),
        item=row["item"],
        position=row["position"],
        version=row["version"],
        published=row["published_at"] is not None,
        spoiler=Spoiler(row["spoiler_reason"]) if row["spoiler"] else None,
        media=_media(row),
        work=Work(row["attempts"], row["attempts_before"], row["attempts_spared"], row["percent"], row["remaining"]),
        withheld=Withheld(HeldFor(row["held_for"]) if row["held_for"] else None, row["hidden_by"], row["deleted_by"]),
        arrival=_arrival(row),
    )


_LISTED_FILE = SentFile("", None, certain=True, claimed_size=None)
_NO_WORK, _SHOWN = Work(), Withheld()


def read_listed(row: asyncpg.Record) -> Video:
    """Read a row of `listed_videos` as `room_state.listed` has a video."""
    waits = row["awaited_since"]
    held_for, hidden_by = row["held_for"], row["hidden_by"]
    return Video(
        id=VideoId(str(row["id"])),
        event_id=EventId(row["event_id"]),
        room_id=RoomId(row["room_id"]),
        sent_in=RoomId(row["sent_in"]),
        sender=UserId(row["sender"]),
        title="",
        created_at=row["sent_at"],
        file=SentFile("", None, certain=True, claimed_size=None, awaited_since=waits) if waits else _LISTED_FILE,
        state=State(row["state"]),
        visibility=Visibility(row["visibility"]),
        failure=row["failure"],
        kind=Kind(row["kind"]),
        item=row["item"],
        position=row["position"],
        version=row["version"],
        published=row["published_at"] is not None,
        spoiler=Spoiler() if row["spoiler"] else None,
        media=Media(
            stage=row["stage"],
            renditions=SOME_RENDITIONS if row["has_renditions"] else (),
            available=row["available"] if row["state"] == State.PLAYABLE else None,
            has_preview=row["has_preview"],
        ),
        work=_NO_WORK,
        withheld=Withheld(HeldFor(held_for) if held_for else None, hidden_by) if held_for or hidden_by else _SHOWN,
        arrival=_arrival(row),
    )


def read_member(row: asyncpg.Record) -> Member:
    """Read a row of `joined_members` or `present_members`."""
    return Member(
        row["key"],
        UserId(row["user_id"]),
        row["display_name"],
        row["avatar_mxc"],
        VideoId(str(row["avatar_video"])) if row["avatar_video"] else None,
        row["joined_at"],
    )


def _media(row: asyncpg.Record) -> Media:
    renditions, storyboard = unpack(row["renditions"], row["storyboard"])
    return Media(
        stage=row["stage"],
        encrypted=row["stage_encrypted"],
        replaced_stage=(row["replaced"] or {}).get("stage"),
        duration=row["duration"],
        width=row["width"],
        height=row["height"],
        renditions=renditions,
        # A worker of the release before 0003 leaves the number behind when it publishes the whole.
        available=row["available"] if row["state"] == State.PLAYABLE else None,
        has_poster=row["has_poster"],
        has_preview=row["has_preview"],
        blurhash=row["blurhash"],
        storyboard=storyboard,
        captions=tuple(Captions.from_json(item) for item in row["captions"]),
        audio_left_out=AudioLoss(row["audio_left_out"]) if row["audio_left_out"] else None,
        bytes=row["bytes"],
        lower_rungs=LowerRungs(row["lower_rungs"]) if row["lower_rungs"] else None,
    )


def _arrival(row: asyncpg.Record) -> Arrival:
    since = row["sent_after"] or row["received_at"]
    return Arrival(
        # `before`: stored by a release that served it as this.
        history=History.SHARED if row["history"] == "before" else History(row["history"] or History.JOINED),
        since=math.floor(since.timestamp() * 1000) if since else 0,
        of_before=row["of_before"],
    )


def read_room(row: asyncpg.Record) -> Room:
    """Read a row of `rooms`."""
    fields: dict[str, Any] = {
        name: row[name]
        for name in (
            "key",
            "name",
            "power_levels",
            "encrypted",
            "widget_placed",
            "inviter",
            "max_lifetime",
            "made_for",
            "last_event_at",
            "opted_in_by",
            "opted_in_at",
        )
    }
    return Room(
        room_id=RoomId(row["room_id"]),
        bot_membership=Membership(row["bot_membership"]),
        creators=frozenset(row["creators"]),
        notified=frozenset(row["told"]),
        replaced_by=RoomId(row["replaced_by"]) if row["replaced_by"] else None,
        settings=RoomSettings.read(row["settings"]),
        last_event=EventId(row["last_event"]) if row["last_event"] else None,
        direct=row["is_direct"],
        state_read=row["state_read"],
        **fields,
    )
