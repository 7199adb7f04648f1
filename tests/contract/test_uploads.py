"""tus 1.0 (https://tus.io/protocols/resumable-upload): creation, deferred length, termination, expiration, limits."""

import asyncio
import contextlib
import math
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from tests.support.databases import CreateDatabase
from tests.support.service import Room, Service, TranscodedVideo, serving
from tests.support.uploads import BODY, PATH, Uploader
from tests.support.waiting import eventually


@pytest.fixture
async def room(service: Service) -> Room:
    return await service.room(service.user("alice"), service.user("bob"))


@pytest.fixture
async def uploader(service: Service, room: Room) -> Uploader:
    return Uploader(await service.viewer(room.owner, room))


async def test_an_upload_comes_in_pieces_while_nobody_knows_its_length(service: Service, uploader: Uploader) -> None:
    data = os.urandom(150_000)
    created = await uploader.create(None, "海边.webm")
    assert created.status == 201
    assert created.headers["Tus-Resumable"] == "1.0.0"
    assert created.headers["Upload-Expires"].endswith("GMT")
    assert (await uploader.head()).headers["Upload-Defer-Length"] == "1"
    offset = 0
    for start in range(0, len(data), 50_000):
        response = await uploader.patch(offset, data[start : start + 50_000])
        assert response.status == 204
        offset = int(response.headers["Upload-Offset"])
    assert offset == len(data)
    assert (await uploader.finish(convert=True)).status == 409, "nobody knows whether that is all"
    assert (await uploader.patch(offset, b"", Upload_Length=str(offset))).status == 204
    assert uploader.bytes_in(service.uploads).read_bytes() == data
    known = {"id": uploader.id(), "percent": None, "failure": None, "content": None, "audio_left_out": None}
    assert await uploader.state() == {**known, "state": "uploading"}
    taken = await uploader.finish(convert=True)
    assert (taken.status, taken.body) == (202, {**known, "state": "preparing"})
    assert (await uploader.finish(convert=True)).status == 202, "requested again, since the response was lost"
    assert (await uploader.patch(offset, b"x")).status == 409, "it is finished"
    assert await uploader.offset() == len(data)


async def test_broken_connections_lose_nothing(service: Service, uploader: Uploader) -> None:
    data = os.urandom(3_000_000)
    await uploader.create(len(data))
    with capture_logs() as logs:
        for _ in range(3):
            offset = await uploader.offset()
            await uploader.cut_off(offset, data[offset : offset + 700_001], len(data) - offset)

            async def arrived(before: int = offset) -> bool:
                # On the disk: a request for the offset would end the one that still receives.
                return uploader.bytes_in(service.uploads).stat().st_size > before

            await eventually(arrived, what="what came before the end")
        offset = await uploader.offset()
        assert 0 < offset < len(data)
        assert (await uploader.patch(offset, data[offset:])).status == 204
    assert uploader.bytes_in(service.uploads).read_bytes() == data
    assert not [entry for entry in logs if entry["log_level"] in {"error", "critical"}]


async def test_a_newer_request_takes_over_from_one_that_hangs(service: Service, uploader: Uploader) -> None:
    length, first = 1_000_000, 600_000  # more than what is written at a time
    await uploader.create(length)
    going = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a" * first
        await going.wait()
        yield b"a" * (length - first)

    async def receiving() -> bool:
        return uploader.bytes_in(service.uploads).stat().st_size > 0

    with capture_logs() as logs:
        older = asyncio.create_task(uploader.patch(0, slow()))
        await eventually(receiving, what="the older request being at work")
        offset = await uploader.offset()
        assert 0 < offset <= first
        assert (await uploader.patch(offset, b"b" * (length - offset))).status == 204
        going.set()
        with contextlib.suppress(aiohttp.ClientError):  # its connection may be closed before it has sent all
            assert (await older).status == 408
    assert uploader.bytes_in(service.uploads).read_bytes() == b"a" * offset + b"b" * (length - offset)
    assert not [e for e in logs if e["log_level"] in {"error", "critical"}], "what a client does is no error of ours"


async def test_everybody_may_read_what_is_supported(uploader: Uploader) -> None:
    options = await uploader.call("OPTIONS", PATH, Tus_Resumable="", Authorization="")
    assert options.status == 204
    assert options.headers["Tus-Version"] == "1.0.0"
    assert options.headers["Tus-Extension"] == "creation,creation-defer-length,termination,expiration"
    assert int(options.headers["Tus-Max-Size"]) == 1024**3
    assert options.headers["Upload-Max-Duration"] == "7200"
    foreign = await uploader.call("OPTIONS", PATH, Authorization="Bearer nobody")
    assert "Upload-Max-Duration" not in foreign.headers


async def test_the_rules_of_tus(service: Service, uploader: Uploader) -> None:
    old = await uploader.call("POST", PATH, Tus_Resumable="0.2.2", Upload_Length="5")
    assert (old.status, old.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await uploader.call("POST", PATH)).status == 400
    too_large = await uploader.create(1024**3 + 1)
    assert (too_large.status, too_large.body["errcode"]) == (413, "M_TOO_LARGE")
    assert too_large.headers["Tus-Resumable"] == "1.0.0"

    await uploader.create(10)
    assert (await uploader.patch(1, b"x")).status == 409
    assert (await uploader.patch(0, b"y")).status == 204
    assert (await uploader.patch(0, b"x")).status == 409, "what is there is not written again"
    assert await uploader.offset() == 1
    await uploader.create(10)
    assert (await uploader.patch(0, b"x", Content_Type="video/webm")).status == 415
    assert (await uploader.patch(0, b"x", Upload_Offset="")).status == 400
    assert (await uploader.patch(0, b"x" * 11)).status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 9

    with contextlib.suppress(aiohttp.ClientError):
        assert (await uploader.patch(0, endless())).status == 413
    offset = await uploader.offset()
    assert offset <= 10
    head = await uploader.head()
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Upload-Length"] == "10"
    assert head.headers["Upload-Metadata"].startswith("filename ")
    rest = {"Upload_Offset": str(offset), "X_HTTP_Method_Override": "PATCH", **BODY}
    override = await uploader.call("POST", uploader.url, data=b"x" * (10 - offset), **rest)
    assert (override.status, override.headers["Upload-Offset"]) == (204, "10")
    assert (await uploader.call("PUT", uploader.url)).status == 405
    assert (await uploader.call("DELETE", uploader.url)).status == 204
    assert (await uploader.head()).status == 404
    assert not uploader.bytes_in(service.uploads).exists()


async def test_a_length_is_declared_once(uploader: Uploader) -> None:
    await uploader.create(None)
    assert (await uploader.patch(0, b"12345", Upload_Length="4")).status == 413
    assert (await uploader.patch(0, b"", Upload_Length="6")).status == 409
    assert (await uploader.patch(0, b"", Upload_Length=str(1024**3 + 1))).status == 413


@pytest.mark.parametrize(
    "body",
    [
        {"start": -1}, {"start": 2, "end": 1}, {"end": 0}, {"end": "x"}, {"convert": 3}, {"unknown": 1},
        {"end": 1e308}, {"start": 1e308}, {"end": 7 * 24 * 3600 + 1}, {"end": 10**400}, {"start": -(10**400)},
        {"end": math.nan}, {"start": math.nan}, {"end": math.inf}, {"start": -math.inf}, {"end": True}, {"end": "5"},
    ],
)  # fmt: skip
async def test_nonsense_at_the_finish(uploader: Uploader, body: dict[str, object]) -> None:
    await uploader.create(0)
    response = await uploader.finish(**body)
    assert (response.status, response.body["errcode"]) == (400, "M_BAD_JSON")


async def test_a_finish_needs_a_body(uploader: Uploader) -> None:
    await uploader.create(0)
    response = await uploader.call("POST", f"{uploader.url}/finish", Tus_Resumable="")
    assert (response.status, response.body["errcode"]) == (400, "M_BAD_JSON")


async def test_an_upload_is_its_owners_alone(service: Service, uploader: Uploader, room: Room) -> None:
    await uploader.create(10)
    bob = service.user("bob")
    await room.set_member(bob)
    other_room = await service.room(room.owner)
    for viewer in (await service.viewer(bob, room), await service.viewer(room.owner, other_room)):
        foreign = Uploader(viewer, uploader.url)
        assert (await foreign.head()).status == 404
        assert (await foreign.patch(0, b"x")).status == 404
        assert (await foreign.call("DELETE", uploader.url)).status == 404
        assert (await foreign.finish()).status == 404
        assert (await foreign.call("GET", uploader.url)).status == 404
    nobody = await uploader.call("POST", PATH, Upload_Length="5", Authorization="")
    assert (nobody.status, nobody.body["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert await uploader.offset() == 0


async def test_three_at_a_time(service: Service, uploader: Uploader) -> None:
    urls = []
    for _ in range(3):
        assert (await uploader.create(10)).status == 201
        urls.append(uploader.url)
    refused = await uploader.create(10)
    assert (refused.status, refused.body["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    idle = "UPDATE uploads SET touched_at = now() - interval '1 hour' WHERE id = $1"
    await service.rows(idle, urls[1].rpartition("/")[2])
    assert (await uploader.create(10)).status == 201, "one that was left behind gives way"
    assert (await uploader.call("HEAD", urls[1])).status == 404
    assert (await uploader.call("DELETE", urls[0])).status == 204
    assert (await uploader.create(10)).status == 201


async def test_of_ten_that_begin_at_once_three_stay(service: Service, room: Room, uploader: Uploader) -> None:
    made = await asyncio.gather(*(uploader.create(10) for _ in range(10)))
    assert sorted(response.status for response in made) == [201] * 3 + [429] * 7
    owned = "SELECT count(*) AS n FROM uploads WHERE owner = $1"
    assert (await service.rows(owned, room.owner))[0]["n"] == 3


async def test_what_expired_is_gone(service: Service, uploader: Uploader) -> None:
    await uploader.create(10)
    await service.rows("UPDATE uploads SET expires_at = now() WHERE id = $1", uploader.id())
    assert (await uploader.head()).status == 404
    assert (await uploader.patch(0, b"x")).status == 404
    assert (await uploader.finish()).status == 404


async def test_nothing_is_sent_to_an_encrypted_room_that_nobody_opted_in(uploader: Uploader, room: Room) -> None:
    await room.send_event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key="")
    refused = await uploader.create(10)
    assert (refused.status, refused.body["errcode"]) == (403, "M_FORBIDDEN")


async def test_what_would_be_refused_as_a_video_is_not_sent_first(
    tmp_path: Path, create_migrated: CreateDatabase, transcoded: TranscodedVideo
) -> None:
    limits = {scope: {"videos": 1} for scope in ("user", "room", "server")}
    async with serving(tmp_path, await create_migrated("contract-limited"), limits=limits) as service:
        alice, bob = service.user("alice"), service.user("bob")
        room, elsewhere = await service.room(alice, bob), await service.room(alice, bob)
        hers, his = [Uploader(await service.viewer(user, room)) for user in (alice, bob)]

        async def outcome(uploader: Uploader) -> tuple[int, str]:
            response = await uploader.create(10)
            return response.status, response.body["errcode"] if response.body else ""

        for who, wanted in (("moderators", (403, "M_FORBIDDEN")), ("members", (201, ""))):
            await room.choose(add=who)
            assert await outcome(his) == wanted
            assert await outcome(hers) == (201, "")
        await room.show_video(alice, transcoded)
        assert await outcome(hers) == (403, "M_USER_LIMIT_EXCEEDED")
        assert await outcome(his) == (403, "M_RESOURCE_LIMIT_EXCEEDED")
        in_another_room = Uploader(await service.viewer(bob, elsewhere))
        assert await outcome(in_another_room) == (507, "M_RESOURCE_LIMIT_EXCEEDED")


async def test_a_rooms_own_length_is_sent_to_its_members(uploader: Uploader, room: Room) -> None:
    await room.choose(max_length=2)
    assert (await uploader.call("OPTIONS", PATH)).headers["Upload-Max-Duration"] == "2"
    assert (await uploader.call("OPTIONS", PATH, Authorization="")).headers["Upload-Max-Duration"] == "7200"
