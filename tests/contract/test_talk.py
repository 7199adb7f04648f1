"""What the bot says for people without a client: who may have it said, and what is no comment and no reaction."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.service import Room, Service, TranscodedVideo
from tests.support.uploads import Uploader
from tests.support.viewer import Viewer

NO_UPLOAD = "00000000-0000-0000-0000-000000000000"


@dataclass
class SignedInMember:
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
        """Return the statuses of all requests that the bot serves."""
        responses = [
            await self.say("comments", text="x"), await self.say("reactions", key="👍"), await self.send(NO_UPLOAD),
            await self.viewer.get(f"{self.path}/said"), await self.viewer.request("DELETE", f"{self.path}/said/$x"),
        ]  # fmt: skip
        return [status for status, _ in responses]


@pytest.fixture
async def member(service: Service, transcoded: TranscodedVideo) -> SignedInMember:
    alice, carol = service.user("alice"), service.user("carol")
    room = await service.room(alice, carol)
    video_id = await room.video_id(await room.show_video(alice, transcoded))
    return SignedInMember(await service.signed_in(carol, room), carol, room, video_id)


async def test_in_a_client_people_speak_for_themselves(service: Service, member: SignedInMember) -> None:
    assert (await member.viewer.room())["can"] == ["comment", "react", "send"]
    viewer = await service.viewer(member.user, member.room)
    assert (await viewer.room())["can"] == []
    own = SignedInMember(viewer, member.user, member.room, member.video_id)
    assert await own.try_all() == [403] * 5
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", member.room.room_id) == []


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
async def test_what_is_no_comment_and_no_reaction(member: SignedInMember, what: str, body: object) -> None:
    status, response = await member.viewer.request("POST", f"{member.path}/{what}", body)
    assert (status, response["errcode"]) == (400, "M_BAD_JSON")


async def test_what_the_room_does_not_let_somebody_send_the_bot_sends_not_either(
    service: Service, member: SignedInMember
) -> None:
    await member.room.set_power_levels(events={"m.reaction": 50})
    assert (await member.viewer.room())["can"] == ["comment", "send"]
    assert (await member.say("reactions", key="👍"))[0] == 403
    await member.room.set_power_levels(events_default=50)
    assert (await member.viewer.room())["can"] == []
    assert (await member.try_all())[:3] == [403] * 3
    # The bot itself may not.
    users = {member.room.owner: 100, service.bot: 50, member.user: 70}
    await member.room.set_power_levels(events={"m.room.message": 60}, users=users)
    assert (await member.viewer.room())["can"] == ["react"]
    assert (await member.say("comments", text="x"))[0] == 403
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", member.room.room_id) == []


async def test_only_moderators_send_where_only_they_add_videos(member: SignedInMember) -> None:
    await member.room.choose(add="moderators")
    assert (await member.viewer.room())["can"] == ["comment", "react"]
    assert (await member.send(NO_UPLOAD))[0] == 403


async def test_nothing_goes_unencrypted_into_an_encrypted_room(member: SignedInMember) -> None:
    await member.room.send_event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key="")
    assert (await member.viewer.room())["can"] == []
    assert (await member.try_all())[:3] == [403] * 3


async def test_what_is_not_to_be_watched_is_not_talked_about(service: Service, member: SignedInMember) -> None:
    hidden = "UPDATE videos SET visibility = 'hidden' WHERE id = $1::uuid"
    await service.rows(hidden, member.video_id)
    service.context.access.invalidate()
    assert [status for status in await member.try_all() if status != 404] == []


async def test_an_upload_that_is_not_ready_or_anothers_is_not_sent(service: Service, member: SignedInMember) -> None:
    uploader = Uploader(member.viewer)
    await uploader.create(10, "clip.mp4")
    assert (await member.send(uploader.id()))[0] == 409
    hers = SignedInMember(
        await service.signed_in(member.room.owner, member.room), member.room.owner, member.room, member.video_id
    )
    assert (await hers.send(uploader.id()))[0] == 404
    assert await service.rows("SELECT FROM sent_for WHERE room_id = $1", member.room.room_id) == []
    await member.viewer.request("DELETE", f"/api/v1/uploads/{uploader.id()}")


async def test_what_nobody_here_sent_is_not_taken_back(member: SignedInMember) -> None:
    status, response = await member.viewer.request("DELETE", f"{member.path}/said/$x")
    assert (status, response["errcode"]) == (404, "M_NOT_FOUND")
