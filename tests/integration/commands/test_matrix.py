"""Who may do what: every command, and every route of the widget, for each kind of person. A new command needs a row."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.commands.context import Rank
from appservice.commands.run import COMMANDS
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.video.synthetic_clips import SIZE, make_synthetic_clips
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

ROLES = ("owner", "other", "moderator", "admin", "banned", "left", "far")
"""Who sent the videos; another member; a moderator of the room; an admin of the installation, a plain member of
the room; one who was banned, and one who left, as the admin alone with the bot; somebody of a server that may
not use it."""

_TEXTS = {
    "F": "You may not do this with that video.",
    "M": "Only the room's moderators may do this.",
    "H": "I know no video #",
    "U": "I do not know",
    "N": "There is nothing that could be brought back",
    "0": "You moderate no room in which I am.",
    "=": "This is your own video",
    "1": "There is no room for notices",
    "P": "This room is not encrypted",
}
"""The start of a refusal. `Y` is done, `-` silence, and `.` was not tried."""

_MISTAKES = (
    "“§” does not fit here. It is written like this:",
    "Which video? Give its number",
    "There is no setting “§”.",
)

MATRIX: Sequence[tuple[str, str]] = (
    ("help", "YYYYYY-"),
    ("version", "YYYYYY-"),
    ("list", "YYYYYY-"),
    ("mine", "YYYYYY-"),
    ("settings", "YYYYYY-"),
    ("settings language en", "YYYYYY-"),
    ("quota", "YYYYYY-"),
    ("export", "YYYYYY-"),
    ("forget-me", "YYYYYY-"),
    ("play {shown}", "YYYYHH-"),
    ("rename {shown} lake", "YFYFHH-"),
    ("move {shown} 1", "YFYFHH-"),
    ("hide {shown}", "YFYFHH-"),
    ("show {shown}", "YFYFHH-"),
    ("publish {shown}", "YFFFHH-"),
    ("unpublish {shown}", "YFYFHH-"),
    ("avatar {shown}", "YFFFHH-"),
    ("report {shown} why", "=YYYHH-"),
    ("delete {spare}", "YFYFHH-"),
    ("undelete", "YNYNNN-"),
    ("queue", "MMY000-"),
    ("approve {held}", "MMYMHH-"),
    ("reject {other_held}", "MMYHHH-"),
    ("reports", "MMY000-"),
    ("dismiss {shown}", "MMYMHH-"),
    ("room", "MMY000-"),
    ("room pin off", "MMY000-"),
    ("enable", "MMPPPP-"),
    ("disable", "MMPPPP-"),
    ("block {blocked}", "MMY.HH-"),
    ("blocks", "MMY000-"),
    ("unblock {hash}", "MMY000-"),
    ("remove {removed}", "MMY.HH-"),
    ("status", "UUUYUU-"),
    ("stats", "UUUYUU-"),
    ("rooms", "UUUYUU-"),
    ("users", "UUUYUU-"),
    ("notices", "UUU1UU-"),
    ("policies", "UUUYUU-"),
    ("requeue {failed}", "UUUYUU-"),
    ("quarantine {shown}", "UUUYUU-"),
    ("release {shown}", "UUUYUU-"),
    ("block-everywhere {hash}", "UUUYUU-"),
    ("unblock-everywhere {hash}", "UUUYUU-"),
    ("undo", "UUUYUU-"),
)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_is_in_the_matrix(command: str) -> None:
    assert any(row.split()[0] == command for row, _ in MATRIX)


@dataclass
class RoomWithEveryRole:
    """A room with everybody in it (or no longer), and a video for each thing that ends one."""

    reel: Installation
    room_id: str
    users: dict[str, MatrixClient]
    rooms: dict[str, str]
    """Where each speaks to the bot."""
    sessions: dict[str, Viewer]
    videos: dict[str, str] = field(default_factory=dict)
    """How people call each video: `#` and its id."""

    async def send(self, name: str, clip: Path, visibility: str = "shown", state: str = "ready") -> None:
        event_id = await self.users["owner"].send_video(self.room_id, clip, body=f"{name}.mp4")

        async def there() -> str | None:
            rows = await self.reel.rows("SELECT id, state, visibility FROM videos WHERE event_id = $1", event_id)
            return str(rows[0]["id"]) if rows and tuple(rows[0])[1:] == (state, visibility) else None

        video_id = await eventually(there, what=f"{name} being {state}, {visibility}")
        self.videos[name] = f"#{video_id.replace('-', '')}" if video_id else ""

    async def outcomes_of(self, role: str, commands: Sequence[str]) -> list[str]:
        """Give commands one after the other, and return what became of each."""
        user, room_id = self.users[role], self.rooms[role]
        prefix = "!reel " if room_id == self.room_id else ""
        events = [await user.send_text(room_id, prefix + command) for command in commands]

        async def all_said() -> list[tuple[str, bool]] | None:
            said: dict[str, str] = {}
            wrong: set[str] = set()
            for event in await user.messages(room_id, limit=500):
                relation = event.get("content", {}).get("m.relates_to", {})
                if event["type"] == "m.reaction" and relation.get("key") == "❓":
                    wrong.add(relation["event_id"])
                elif event.get("content", {}).get("msgtype") == "m.notice":
                    said[relation.get("m.in_reply_to", {}).get("event_id", "")] = event["content"]["body"]
            if not said.keys() >= set(events):
                return None
            return [(said[event_id], event_id in wrong) for event_id in events]

        return [_outcome(*response) for response in await eventually(all_said, what=f"the responses to {role}") or []]


def _outcome(text: str, wrong: bool) -> str:
    if not wrong:
        return "Y"
    return next((code for code, prefix in _TEXTS.items() if text.startswith(prefix)), text)


@pytest.fixture
async def room_with_roles(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path, tmp_path: Path, tools: Tools
) -> RoomWithEveryRole:
    own = uuid.uuid4().hex[:6]
    users = {role: await synapse.user(f"{role}-{own}") for role in ROLES[:-1]}
    spare.write_config(
        permissions={"*": "blocked", synapse.server_name: "user", users["admin"].user_id: "admin"},
    )
    await spare.start()
    room_id = await make_room(
        users["moderator"], spare, *(user for user in users.values() if user != users["moderator"])
    )
    sessions = {role: await spare.viewer(http, user, room_id) for role, user in users.items()}
    rooms = {
        role: await open_direct(user, spare) if role in {"admin", "banned", "left"} else room_id
        for role, user in users.items()
    }
    room_with_roles = RoomWithEveryRole(spare, room_id, users, rooms, sessions)
    moderator = CommandSender(users["moderator"], room_id)
    await moderator("!reel room hold all")
    for name in ("held", "other_held"):
        await room_with_roles.send(name, clip, "held")
    await moderator("!reel room hold off")
    for name in ("shown", "spare", "removed"):
        await room_with_roles.send(name, clip)
    await asyncio.to_thread(make_synthetic_clips, tools, tmp_path, [1], seconds=1, size=SIZE)
    await room_with_roles.send("blocked", tmp_path / "1.mp4")  # nothing looks like it
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:2000])
    await room_with_roles.send("failed", broken, state="failed")
    await users["moderator"].ban(room_id, users["banned"].user_id)
    await users["left"].leave(room_id)
    (row,) = await spare.rows("SELECT encode(source_hash, 'hex') AS hash FROM videos WHERE title = 'blocked'")
    room_with_roles.videos["hash"] = f"#{row['hash']}"
    return room_with_roles


async def test_every_command_for_everybody(room_with_roles: RoomWithEveryRole, http: aiohttp.ClientSession) -> None:
    for place, role in enumerate(ROLES[:-1]):
        rows = [
            (row.format_map(room_with_roles.videos), expected[place], row)
            for row, expected in MATRIX
            if expected[place] != "."
        ]
        found = await room_with_roles.outcomes_of(role, [command for command, _, _ in rows])
        assert {row: outcome for (_, _, row), outcome in zip(rows, found, strict=True)} == {
            row: expected for _, expected, row in rows
        }, role
    # Somebody of a server that is not served: nothing is stored, and there is no response.
    events = [
        {
            "type": "m.room.message", "room_id": room_with_roles.room_id, "sender": "@eve:far.example",
            "event_id": f"$far{number}", "origin_server_ts": 1,
            "content": {"msgtype": "m.text", "body": f"!reel {row.format_map(room_with_roles.videos)}"},
        }
        for number, (row, _) in enumerate(MATRIX)
    ]  # fmt: skip
    assert (await room_with_roles.reel.transaction(http, events))[0] == 200
    assert await room_with_roles.outcomes_of("other", ["version"]) == ["Y"]
    assert not await room_with_roles.reel.rows("SELECT FROM commands WHERE sender = '@eve:far.example'")


async def test_nonsense_after_every_command_is_a_mistake_that_changes_nothing(
    room_with_roles: RoomWithEveryRole,
) -> None:
    state = "SELECT id, title, visibility, version, published_at FROM videos ORDER BY id"
    before = await room_with_roles.reel.rows(state)
    for role, admins in (("moderator", False), ("admin", True)):
        names = [command.name for command in COMMANDS if (command.rank is Rank.ADMIN) is admins]
        outcomes = dict(
            zip(names, await room_with_roles.outcomes_of(role, [f"{name} § §" for name in names]), strict=True)
        )
        assert {name: text for name, text in outcomes.items() if not text.startswith(_MISTAKES)} == {}
    assert await room_with_roles.reel.rows(state) == before


_ROUTES: Sequence[tuple[str, str, object, Mapping[str, int]]] = (
    ("GET", "/api/v1/rooms/{room}", None, {}),
    ("PATCH", "/api/v1/videos/{shown}", {"title": "sea"}, {"other": 403}),
    ("PATCH", "/api/v1/videos/{shown}", {"visibility": "hidden"}, {"other": 403}),
    ("PATCH", "/api/v1/videos/{shown}", {"visibility": "shown"}, {"other": 403}),
    ("PATCH", "/api/v1/videos/{shown}", {"published": True}, {"other": 403, "moderator": 403}),
    ("PATCH", "/api/v1/videos/{shown}", {"published": False}, {"other": 403}),
    ("PATCH", "/api/v1/videos/{shown}", {"video_avatar": True}, {"other": 403, "moderator": 403}),
    ("PATCH", "/api/v1/videos/{held}", {"visibility": "shown"}, {"owner": 403, "other": 404}),
    ("POST", "/api/v1/videos/{shown}/report", {"reason": ""}, {"owner": 403}),
    ("DELETE", "/api/v1/videos/{shown}/reports", None, {"owner": 403, "other": 403}),
    ("PUT", "/api/v1/rooms/{room}/members/{owner}/order", {"videos": []}, {"other": 403}),
    ("DELETE", "/api/v1/videos/{spare}", None, {"other": 403}),
    ("POST", "/api/v1/videos/{spare}/restore", None, {"other": 404}),
    ("PUT", "/api/v1/rooms/{room}/watching", {"watching": False}, {}),
    # It is not encrypted.
    ("PUT", "/api/v1/rooms/{room}/opt-in", None, {"owner": 409, "other": 409, "moderator": 409}),
    ("DELETE", "/api/v1/rooms/{room}/opt-in", None, {"owner": 409, "other": 409, "moderator": 409}),
)


async def test_every_route_for_everybody(room_with_roles: RoomWithEveryRole, http: aiohttp.ClientSession) -> None:
    names = {name: str(uuid.UUID(value[1:])) for name, value in room_with_roles.videos.items() if name != "hash"}
    names |= {"room": room_with_roles.room_id, "owner": room_with_roles.users["owner"].user_id}
    # Sessions of before are no use to those who are gone, and others get none.
    for role in ("other", "owner", "moderator", "banned", "left"):
        for method, path, body, refused in _ROUTES:
            expected = refused.get(role, 200) if role not in {"banned", "left"} else 403
            status, response = await room_with_roles.sessions[role].request(method, path.format_map(names), body)
            assert status == expected, (role, method, path, body, response)
    for role in ("banned", "left"):
        token: dict[str, Any] = await room_with_roles.users[role].openid_token()
        assert (await room_with_roles.reel.open_session(http, token, room_with_roles.room_id))[0] == 403
    assert (
        await room_with_roles.reel.open_session(
            http, {**token, "matrix_server_name": "far.example"}, room_with_roles.room_id
        )
    )[0] == 403
