"""An encrypted room's opt-in by the widget: who may, what the room says of it, and what is taken."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.databases import CreateDatabase
from tests.support.service import Room, Service, TranscodedVideo, serving
from tests.support.uploads import Uploader
from tests.support.viewer import Viewer

MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}


@dataclass
class EncryptedRoom:
    """An encrypted room of alice's with bob in it."""

    room: Room
    owner: str
    alice: Viewer
    bob: Viewer

    @classmethod
    async def make(cls, service: Service) -> "EncryptedRoom":
        alice, bob = service.user("alice"), service.user("bob")
        room = await service.room(alice, bob)
        await room.set_member(alice, displayname="Alice")
        await room.send_event("m.room.encryption", MEGOLM, state_key="")
        return cls(room, alice, await service.viewer(alice, room), await service.viewer(bob, room))

    @property
    def path(self) -> str:
        return f"/api/v1/rooms/{self.room.room_id}/opt-in"


async def _encryption(viewer: Viewer) -> Any:  # noqa: ANN401 - JSON
    return (await viewer.room())["encryption"]


@pytest.fixture(scope="module")
async def set_up(create_migrated: CreateDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A web server whose operator has set up encrypted rooms."""
    folder, dsn = tmp_path_factory.mktemp("opt-in"), await create_migrated("contract-opt-in")
    async with serving(folder, dsn, encryption={"key": "k" * 32}) as service:
        yield service


@pytest.fixture(autouse=True)
def _agreed(set_up: Service) -> Iterator[None]:
    """Compare every response that a test got with the API document."""
    yield
    differences, set_up.agreement.differences = set_up.agreement.differences, []
    assert differences == []


@pytest.fixture
async def encrypted(set_up: Service) -> EncryptedRoom:
    return await EncryptedRoom.make(set_up)


async def test_a_plain_room_has_nothing_to_agree_to(set_up: Service) -> None:
    alice = set_up.user("alice")
    room = await set_up.room(alice)
    viewer = await set_up.viewer(alice, room)
    assert await _encryption(viewer) is None
    for method in ("PUT", "DELETE"):
        status, error = await viewer.request(method, f"/api/v1/rooms/{room.room_id}/opt-in")
        assert (status, error["errcode"]) == (409, "M_CONFLICT")


async def test_a_moderator_opts_in_and_everybody_sees_who_and_when(encrypted: EncryptedRoom) -> None:
    nobody = {"opted_in_by": None, "opted_in_by_name": None, "opted_in_at": None, "available": True}
    assert await _encryption(encrypted.alice) == {**nobody, "may_opt_in": True}
    assert await _encryption(encrypted.bob) == {**nobody, "may_opt_in": False}
    for method in ("PUT", "DELETE"):
        status, error = await encrypted.bob.request(method, encrypted.path)
        assert (status, error["errcode"]) == (403, "M_FORBIDDEN")
    status, agreed = await encrypted.alice.request("PUT", encrypted.path)
    assert (status, agreed["opted_in_by"], agreed["opted_in_by_name"]) == (200, encrypted.owner, "Alice")
    assert agreed["opted_in_at"] > 1_700_000_000_000
    assert await _encryption(encrypted.bob) == {**agreed, "may_opt_in": False}
    # Requested again, it stays as it is.
    assert (await encrypted.alice.request("PUT", encrypted.path)) == (200, agreed)


async def test_videos_are_taken_only_in_between(
    encrypted: EncryptedRoom, set_up: Service, transcoded: TranscodedVideo
) -> None:
    room, bob = encrypted.room, Uploader(encrypted.bob)
    await room.send_video(encrypted.owner)
    assert (await bob.create(10)).status == 403
    async with encrypted.bob.events() as events:
        assert (await encrypted.alice.request("PUT", encrypted.path))[0] == 200
        while (await events.get())[0] != "changed":
            pass
    assert await encrypted.bob.videos() == []
    await room.show_video(encrypted.owner, transcoded)
    assert (await bob.create(10)).status == 201
    (video,) = await encrypted.bob.videos()
    assert (await encrypted.bob.fetch(video["poster_url"]))[0] == 200
    status, answer = await encrypted.alice.request("DELETE", encrypted.path)
    assert (status, answer["opted_in_by"], answer["opted_in_at"]) == (200, None, None)
    assert await encrypted.bob.videos() == []
    assert (await encrypted.bob.fetch(video["poster_url"]))[0] in {403, 404, 410}
    assert (await bob.head()).status == 404, "what was being uploaded is gone"
    assert (await bob.create(10)).status == 403
    rows = await set_up.rows("SELECT stage FROM videos WHERE room_id = $1", room.room_id)
    assert [row["stage"] for row in rows] == [None]


async def test_a_session_of_another_room_changes_nothing(encrypted: EncryptedRoom, set_up: Service) -> None:
    other = await set_up.room(encrypted.owner)
    stranger = await set_up.viewer(encrypted.owner, other)
    for method in ("PUT", "DELETE"):
        assert (await stranger.request(method, encrypted.path))[0] == 403
    assert (await _encryption(encrypted.alice))["opted_in_at"] is None
    async with set_up.http.put(f"{set_up.url}{encrypted.path}") as response:
        assert response.status == 401


async def test_where_it_is_not_set_up_the_room_says_so(service: Service) -> None:
    encrypted = await EncryptedRoom.make(service)
    assert (await _encryption(encrypted.alice))["available"] is False
    status, error = await encrypted.alice.request("PUT", encrypted.path)
    assert (status, error["errcode"]) == (409, "M_CONFLICT")
    assert "docs/encryption.md" in error["error"]


async def test_routes_are_in_the_document(set_up: Service) -> None:
    async with set_up.http.get(f"{set_up.url}/api/v1/openapi.json") as response:
        document = await response.json()
    assert set(document["paths"]["/api/v1/rooms/{room_id}/opt-in"]) == {"put", "delete"}
