"""What the bot says for people without a client: who may have it said, and what is no comment and no reaction."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.service import Film, Room, Service
from tests.support.uploads import Uploader
from tests.support.viewer import Viewer

NO_UPLOAD = "00000000-0000-0000-0000-000000000000"


@dataclass
class Phone:
    """A browser that is signed in as `user`, in a room with a video."""

    viewer: Viewer
    user: str
    room: Room
    video_id: str

    @property
    def path(self) -> str:
        return f"/api/v1/videos/{self.video_id}"

    async def say(self, what: str, **body: object) -> tuple[int, Any]:
        return await self.viewer.request("POST", f"{self.path}/{what}", {"nonce": secrets.token_urlsafe(16), **body})

    async def send(self, upload: str) -> tuple[int, Any]:
        body = {"upload": upload, "nonce": secrets.token_urlsafe(16)}
        return await self.viewer.request("POST", f"/api/v1/rooms/{self.room.room_id}/videos", body)

    async def try_all(self) -> list[int]:
        """Return the statuses of all that may be asked of the bot."""
        answers = [
            await self.say("comments", text="x"), await self.say("reactions", key="👍"), await self.send(NO_UPLOAD),
            await self.viewer.get(f"{self.path}/said"), await self.viewer.request("DELETE", f"{self.path}/said/$x"),
        ]  # fmt: skip
        return [status for status, _ in answers]


@pytest.fixture
async def phone(service: Service, film: Film) -> Phone:
    alice, carol = service.user("alice"), service.user("carol")
    room = await service.room(alice, carol)
    video_id = await room.video_id(await room.show_video(alice, film))
    return Phone(await service.signed_in(carol, room), carol, room, video_id)


async def test_in_a_client_people_speak_for_themselves(service: Service, phone: Phone) -> None:
    assert (await phone.viewer.room())["can"] == ["comment", "react", "send"]
    viewer = await service.viewer(phone.user, phone.room)
    assert (await viewer.room())["can"] == []
    own = Phone(viewer, phone.user, phone.room, phone.video_id)
    assert await own.try_all() == [403] * 5
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", phone.room.room_id) == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("comments", {"text": "", "nonce": "a"}), ("comments", {"text": " \u200d", "nonce": "a"}),
        ("comments", {"text": "x" * 4001, "nonce": "a"}), ("comments", {"text": "x", "nonce": "a b"}),
        ("comments", {"text": "x"}), ("comments", {"text": 5, "nonce": "a"}),
        ("reactions", {"key": "", "nonce": "a"}), ("reactions", {"key": "x" * 33, "nonce": "a"}),
        ("reactions", {"key": "a\nb", "nonce": "a"}), ("reactions", {"key": "mxc://h/a", "nonce": "a"}),
        ("reactions", []),
    ],
)  # fmt: skip
async def test_what_is_no_comment_and_no_reaction(phone: Phone, what: str, body: object) -> None:
    status, answer = await phone.viewer.request("POST", f"{phone.path}/{what}", body)
    assert (status, answer["errcode"]) == (400, "M_BAD_JSON")


async def test_what_the_room_does_not_let_somebody_send_the_bot_sends_not_either(
    service: Service, phone: Phone
) -> None:
    await phone.room.set_power(events={"m.reaction": 50})
    assert (await phone.viewer.room())["can"] == ["comment", "send"]
    assert (await phone.say("reactions", key="👍"))[0] == 403
    await phone.room.set_power(events_default=50)
    assert (await phone.viewer.room())["can"] == []
    assert (await phone.try_all())[:3] == [403] * 3
    # The bot itself may not.
    users = {phone.room.owner: 100, service.bot: 50, phone.user: 70}
    await phone.room.set_power(events={"m.room.message": 60}, users=users)
    assert (await phone.viewer.room())["can"] == ["react"]
    assert (await phone.say("comments", text="x"))[0] == 403
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", phone.room.room_id) == []


async def test_only_moderators_send_where_only_they_add_videos(phone: Phone) -> None:
    await phone.room.choose(add="moderators")
    assert (await phone.viewer.room())["can"] == ["comment", "react"]
    assert (await phone.send(NO_UPLOAD))[0] == 403


async def test_nothing_goes_unencrypted_into_an_encrypted_room(phone: Phone) -> None:
    await phone.room.tell("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key="")
    assert (await phone.viewer.room())["can"] == []
    assert (await phone.try_all())[:3] == [403] * 3


async def test_what_is_not_to_be_watched_is_not_talked_about(service: Service, phone: Phone) -> None:
    hidden = "UPDATE videos SET visibility = 'hidden' WHERE id = $1::uuid"
    await service.rows(hidden, phone.video_id)
    service.context.access.invalidate()
    assert [status for status in await phone.try_all() if status != 404] == []


async def test_an_upload_that_is_not_ready_or_anothers_is_not_sent(service: Service, phone: Phone) -> None:
    uploader = Uploader(phone.viewer)
    await uploader.create(10, "clip.mp4")
    assert (await phone.send(uploader.id()))[0] == 409
    hers = Phone(await service.signed_in(phone.room.owner, phone.room), phone.room.owner, phone.room, phone.video_id)
    assert (await hers.send(uploader.id()))[0] == 404
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", phone.room.room_id) == []
    await phone.viewer.request("DELETE", f"/api/v1/uploads/{uploader.id()}")


async def test_what_nobody_here_sent_is_not_taken_back(phone: Phone) -> None:
    status, answer = await phone.viewer.request("DELETE", f"{phone.path}/said/$x")
    assert (status, answer["errcode"]) == (404, "M_NOT_FOUND")
