"""What admins do by commands, in the management room and alone with the bot, on the real service; and nobody else."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.clips import with_padding
from tests.support.commands import BotResponse, CommandSender, open_direct
from tests.support.databases import CreateDatabase
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.rooms import make_room, wait_for_notice
from tests.support.video.synthetic_clips import SIZE, make_synthetic_clips, reencode
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

COMMANDS = (
    "status", "stats", "rooms", "users", "requeue", "quarantine", "release", "undo", "notices",
    "block-everywhere", "unblock-everywhere",
)  # fmt: skip


@dataclass
class TcpProxy:
    """The way to the homeserver, which can be cut."""

    target: tuple[str, int]
    server: asyncio.Server | None = None
    port: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connect(self) -> None:
        self.server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self.server
        self.server.close()
        for writer in self.open:
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self.target)
        self.open |= {writer, back}
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self.open -= {writer, back}

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()


@dataclass
class AdministeredService:
    """An installation with an admin, and a room of alice's where bob sends videos and mallory watches."""

    service: Installation
    proxy: TcpProxy
    admin: MatrixClient
    room: CommandSender
    """The admin in the management room; mallory is there, too."""
    alone: CommandSender
    """The admin alone with the bot."""
    alice: CommandSender
    bob: CommandSender
    mallory: CommandSender
    sees: Viewer
    """What mallory sees in alice's room."""
    clip: Path
    folder: Path
    count: int = 0

    async def both(self, command: str) -> list[BotResponse]:
        """Give a command in both places where admins are heard."""
        return [await self.room(f"!reel {command}"), await self.alone(command)]

    async def send(self, *, broken: bool = False) -> tuple[str, str]:
        """Let bob send a video; return its event, and how admins call it, once it is ready or has failed."""
        self.count += 1
        clip = with_padding(self.clip, self.folder / f"{self.count}.mp4", f"{self.count}".encode())
        if broken:
            clip.write_bytes(b"no video at all " * 99)
        event_id = await self.bob.user.send_video(self.bob.room_id, clip)
        await self.in_state(event_id, "failed" if broken else "ready")
        (row,) = await self.service.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
        return event_id, f"#{row['id'].hex[:8]}"

    async def in_state(self, event_id: str, state: str) -> None:
        async def is_in_state() -> bool:
            rows = await self.service.rows("SELECT state FROM videos WHERE event_id = $1", event_id)
            return [row["state"] for row in rows] == [state]

        await eventually(is_in_state, what=f"{event_id} becoming {state}")

    async def seen(self, event_id: str) -> bool:
        return await self.sees.video(event_id) is not None


@pytest.fixture(scope="module")
async def administered(
    homeserver: tuple[Synapse, dict[str, Installation]], create_database: CreateDatabase, http: aiohttp.ClientSession,
    tmp_path_factory: pytest.TempPathFactory, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient, clip: Path,
) -> AsyncIterator[AdministeredService]:  # fmt: skip
    synapse, slots = homeserver
    folder = tmp_path_factory.mktemp("office")
    service = Installation(folder / "reel-b", synapse, dict(slots["reel-b"].settings), launch=fork)
    service.folder.mkdir()
    address = urlsplit(synapse.base_url)
    proxy = TcpProxy((str(address.hostname), int(address.port or 80)))
    await proxy.connect()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(proxy.cut)
        admin = await stack.enter_async_context(await synapse.user("operator"))
        room_id = await admin.create_room(invite=[mallory.user_id])
        await mallory.join(room_id)
        service.write_config(
            database=await create_database("office"), homeserver={"url": f"http://127.0.0.1:{proxy.port}"},
            permissions={"*": "user", admin.user_id: "admin"}, appservice={"admin_room": room_id},
            worker={"attempts": 1, "min_free": 0},
        )  # fmt: skip
        async with service.running():
            await admin.invite(room_id, service.bot)

            async def joined() -> bool:
                return service.bot in await admin.joined_members(room_id)

            await eventually(joined, what="the bot in the management room")
            alone = await open_direct(admin, service)
            videos_in = await make_room(alice, service, bob, mallory)
            sees = await service.viewer(http, mallory, videos_in)
            yield AdministeredService(
                service, proxy, admin, CommandSender(admin, room_id), CommandSender(admin, alone),
                CommandSender(alice, videos_in), CommandSender(bob, videos_in), CommandSender(mallory, videos_in), sees,
                clip, folder,
            )  # fmt: skip
    await service.depart()


async def test_nobody_else_is_heard_and_nobody_elsewhere(administered: AdministeredService, synapse: Synapse) -> None:
    async with await synapse.user("visitor") as visitor:
        alone = CommandSender(visitor, await open_direct(visitor, administered.service))
        for command in COMMANDS:
            for said in (
                await CommandSender(administered.mallory.user, administered.room.room_id)(f"!reel {command}"),
                await administered.alice(f"!reel {command}"),
                await alone(command),
            ):
                assert said.text.startswith("I do not know"), command
                assert said.reactions == ["❓"]
        assert "quarantine" not in (await alone("help")).text
    # An admin is none in a room of others.
    await administered.admin.join(await _open_to(administered, administered.admin))
    assert (await CommandSender(administered.admin, administered.alice.room_id)("!reel users")).text.startswith(
        "I do not know"
    )
    for said in await administered.both("help"):
        assert all(f"{command} – " in said.text or f"{command} [" in said.text or f"{command} #" in said.text
                   for command in COMMANDS)  # fmt: skip


async def test_admins_are_notified_of_nothing_where_others_read(
    administered: AdministeredService, synapse: Synapse
) -> None:
    async with await synapse.user("listener") as listener:
        room_id = await open_direct(administered.admin, administered.service)
        await administered.admin.invite(room_id, listener.user_id)
        await listener.join(room_id)
        for command in ("status", "users", "rooms", "stats"):
            assert (await CommandSender(administered.admin, room_id)(f"!reel {command}")).text.startswith(
                "I do not know"
            ), command

    # The management room as anybody may enter or read it.
    for kind, key, opened, closed in (
        ("m.room.join_rules", "join_rule", "public", "invite"),
        ("m.room.history_visibility", "history_visibility", "world_readable", "shared"),
    ):
        await administered.admin.send_state(administered.room.room_id, kind, {key: opened})
        said = await administered.room("!reel status")
        assert said.text.startswith("Anybody may come into this room, or read it"), kind
        assert said.reactions == ["❓"]
        await administered.admin.send_state(administered.room.room_id, kind, {key: closed})
        assert (await administered.room("!reel status")).text.startswith("Roomreel"), kind


async def _open_to(administered: AdministeredService, user: MatrixClient) -> str:
    await administered.alice.user.invite(administered.alice.room_id, user.user_id)
    return administered.alice.room_id


@pytest.mark.parametrize(
    "command",
    [
        "status 1", "stats now", "rooms x", "rooms 0", "users @x", "users 1 2", "requeue", "requeue 1", "requeue #12",
        "requeue #zzzzzzzz", "quarantine bob", "quarantine @bob", "quarantine 1 x", "release",
        "release @bob", "release #xyz", "block-everywhere bob", "block-everywhere @bob:example.org",
        "block-everywhere 1 x", "block-everywhere #12", "unblock-everywhere", "unblock-everywhere #xyzxyz",
        "unblock-everywhere #123456 x", "undo 1", "notices perhaps", "notices on off",
    ],
)  # fmt: skip
async def test_mistakes_get_the_syntax_as_response(administered: AdministeredService, command: str) -> None:
    said = await administered.alone(command)
    assert "It is written like this:" in said.text
    assert said.reactions == ["❓"]


async def test_what_is_not_there(administered: AdministeredService) -> None:
    for command, text in {
        "requeue #00000000": "I know no video #00000000.",
        "quarantine 00000000-0000-4000-8000-000000000000": "I know no video #00000000000040008000000000000000.",
        "release #00000000": "I know no video #00000000.",
        "release @nobody:example.org": "@nobody:example.org is not in quarantine.",
        "rooms 9": "There is no page 9.",
        "users 9": "There is no page 9.",
        "quarantine 9": "There is no page 9.",
        "block-everywhere #00000000": "I know no video #00000000.",
        "block-everywhere 9": "There is no page 9.",
        "unblock-everywhere #000000": "No file whose id begins with #000000 is blocked.",
    }.items():
        for said in await administered.both(command):
            assert said.text.startswith(text), command
            assert said.reactions == ["❓"]


async def test_looking_around(administered: AdministeredService) -> None:
    await administered.send()
    await administered.send(broken=True)
    for said in await administered.both("status"):
        assert said.text.startswith("Roomreel ")
        assert "could not be prepared: " in said.text
        assert "ready: " in said.text
        assert "are free" in said.text
    for said in await administered.both("stats"):
        assert "to watch" in said.text
        assert "failed, not-a-video: " in said.text
        assert "jobs" in said.text
    for said in await administered.both("rooms"):
        assert f"{administered.bob.room_id} · members: " in said.text
        assert administered.alone.room_id not in said.text
    for said in await administered.both("users"):
        assert f"{administered.bob.user.user_id} · videos: " in said.text
        assert administered.mallory.user.user_id not in said.text


async def test_in_chinese(administered: AdministeredService) -> None:
    await administered.alone("settings language zh")
    try:
        said = await administered.alone("状态")
        assert said.text.startswith("Roomreel ")
        assert "个房间" in said.text
        assert (await administered.room("!reel 隔离 bob")).text.startswith("“bob”用在这里不对。")
        assert (await administered.room("!reel 通知")).text.startswith("通知已打开")
    finally:
        await administered.alone("settings language default")


async def test_requeue(administered: AdministeredService) -> None:
    event_id, short = await administered.send(broken=True)
    for send_command, command in (
        (administered.room, f"!reel requeue {short}"),
        (administered.alone, f"requeue {short}"),
    ):
        said = await send_command(command)
        assert said.text.startswith(f"{short} is tried again.")
        assert said.reactions == ["✅"]
        await administered.in_state(event_id, "failed")
    # It failed again: there is nothing to be taken back.
    assert (await administered.room("!reel undo")).text.startswith("There is nothing of yours")
    # As it is while others are before it in the queue.
    (row,) = await administered.service.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
    await _wait_in_queue(administered, str(row["id"]), attempts=0, when="1 hour")
    assert (await administered.room("!reel undo")).text == f"{short} is not tried again."
    await administered.in_state(event_id, "failed")
    _, well = await administered.send()
    assert (await administered.alone(f"requeue {well}")).text.startswith(f"{well} has not failed")


async def _wait_in_queue(administered: AdministeredService, video_id: str, *, attempts: int, when: str) -> None:
    await administered.service.rows(
        "WITH job AS (INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, 'queued', 'video', convert_to($1::text, 'UTF8'), now() + $3::text::interval))"
        " UPDATE videos SET state = 'queued', attempts = $2, failure = NULL WHERE id = $1::text::uuid",
        video_id, attempts, when,
    )  # fmt: skip


async def test_a_video_in_quarantine_is_nobodys_to_show(administered: AdministeredService) -> None:
    event_id, short = await administered.send()
    assert await administered.seen(event_id)
    said = await administered.room(f"!reel quarantine {short} Somebody complained")
    assert said.text.startswith(
        f"{short} of {administered.bob.user.user_id} in {administered.bob.room_id} is in quarantine"
    )
    assert said.reactions == ["✅"]
    assert not await administered.seen(event_id)
    for command in ("show", "approve"):
        assert (await administered.alice(f"!reel {command} {short}")).reactions == ["❓"], command
        assert (await administered.bob(f"!reel {command} {short}")).reactions == ["❓"], command
    assert not await administered.seen(event_id)
    assert (await administered.alone(f"quarantine {short}")).text == f"{short} is in quarantine already."
    for said in await administered.both("quarantine"):
        assert (
            f"{short} · {administered.bob.user.user_id} · {administered.bob.room_id} · {administered.admin.user_id}"
            in said.text
        )
        assert "Somebody complained" in said.text
    # Deleted and brought back by its sender it is where it was.
    await administered.bob(f"!reel delete {short}")
    await administered.service.keep_deletions_open()
    assert "is back" in (await administered.bob("!reel undelete")).text
    assert not await administered.seen(event_id)
    assert (await administered.room("!reel undo")).text == f"{short} is out of quarantine, and as it was before."
    assert await administered.seen(event_id)
    assert (await administered.alone(f"release {short}")).text == f"{short} is not in quarantine."
    # What its sender hid stays hidden.
    await administered.bob(f"!reel hide {short}")
    await administered.alone(f"quarantine {short}")
    assert (await administered.bob(f"!reel show {short}")).reactions == ["❓"]
    assert (await administered.alone(f"release {short}")).text.startswith(f"{short} is out of quarantine")
    assert not await administered.seen(event_id)
    assert (await administered.bob(f"!reel show {short}")).reactions == ["✅"]
    assert await administered.seen(event_id)


async def test_somebody_in_quarantine(administered: AdministeredService) -> None:
    bob = administered.bob.user.user_id
    before, _ = await administered.send()
    alone, short = await administered.send()
    await administered.room(f"!reel quarantine {short}")
    said = await administered.room(f"!reel quarantine {bob} spam")
    assert said.text.startswith(f"{bob} is in quarantine: ")
    after, _ = await administered.send()
    assert [await administered.seen(event_id) for event_id in (before, alone, after)] == [False, False, False]
    assert (await administered.alone(f"quarantine {bob}")).text == f"{bob} is in quarantine already."
    assert f"{bob} · {administered.admin.user_id} · " in (await administered.alone("quarantine")).text
    assert "in quarantine" in (await administered.alone("users")).text
    assert (await administered.alone(f"release {bob}")).text.startswith(f"{bob} is out of quarantine: ")
    assert [await administered.seen(event_id) for event_id in (before, alone, after)] == [True, False, True]
    # Undone, step by step: the release, then both quarantines.
    assert (await administered.room("!reel undo")).text.startswith(f"{bob} is in quarantine: ")
    assert not await administered.seen(before)
    assert (await administered.room(f"!reel release {bob}")).reactions == ["✅"]
    assert (await administered.room(f"!reel release {short}")).reactions == ["✅"]
    assert [await administered.seen(event_id) for event_id in (before, alone, after)] == [True, True, True]
    later, _ = await administered.send()
    assert await administered.seen(later)


async def test_a_file_that_is_blocked_everywhere(
    administered: AdministeredService, tools: Tools, http: aiohttp.ClientSession
) -> None:
    bob, folder = administered.bob.user, administered.folder
    await asyncio.to_thread(make_synthetic_clips, tools, folder, [3, 4, 5], seconds=2, size=SIZE)
    advertisement, other, unseen = (folder / f"{number}.mp4" for number in (3, 4, 5))
    ways = await asyncio.to_thread(reencode, tools, advertisement, folder, ["crop 2 %", "half size", "WebM"])
    elsewhere = await make_room(administered.alice.user, administered.service, bob)
    there = await administered.service.viewer(http, bob, elsewhere)

    async def sent(room_id: str, file: Path) -> str:
        event_id = await bob.send_video(room_id, file)

        async def known() -> bool:
            rows = await administered.service.rows(
                "SELECT FROM videos WHERE event_id = $1 AND state = 'ready' AND fingerprint IS NOT NULL", event_id
            )
            return bool(rows)

        await eventually(known, what="what it looks like being known")
        return event_id

    here, _, kept = [
        await sent(room_id, file)
        for room_id, file in (
            (administered.bob.room_id, advertisement),
            (elsewhere, ways["half size"]),
            (elsewhere, other),
        )
    ]
    (row,) = await administered.service.rows(
        "SELECT id, encode(source_hash, 'hex') AS hash FROM videos WHERE event_id = $1", here
    )
    said = await administered.room(f"!reel block-everywhere #{row['id'].hex[:8]} an advertisement")
    assert said.text.endswith("2 videos were taken away.")
    assert said.reactions == ["✅"]
    assert not await administered.seen(here)
    assert [video["event_id"] for video in await there.videos()] == [kept]
    for room_id in (administered.bob.room_id, elsewhere):
        event_id = await bob.send_video(room_id, ways["crop 2 %"])
        assert "cannot be shown" in await wait_for_notice(bob, room_id, "This video is blocked", thread=event_id)
    # By its SHA-256 alone, before anybody sent it.
    digest = hashlib.sha256(unseen.read_bytes()).hexdigest()
    assert (await administered.alone(f"block-everywhere {digest}")).text.endswith("No video was taken away.")
    event_id = await bob.send_video(elsewhere, unseen)
    await wait_for_notice(bob, elsewhere, "This video is blocked", thread=event_id)

    for said in await administered.both("block-everywhere"):
        assert said.text.startswith("2 files are blocked:")
        assert f"• #{row['hash'][:8]}, by {administered.admin.user_id} on 2" in said.text
        assert "an advertisement" in said.text
        assert f"unblock-everywhere #{digest[:8]}" in said.text
    # It is not the moderators' to end, and they are not notified of it.
    assert (await administered.alice("!reel blocks")).text == "Nothing is blocked."
    assert (await administered.alice(f"!reel unblock #{digest[:8]}")).text.startswith("No file")
    for hexadecimal in (digest, row["hash"]):
        assert "may come again" in (await administered.room(f"!reel unblock-everywhere #{hexadecimal[:8]}")).text
    assert (await administered.alone("block-everywhere")).text == "Nothing is blocked."
    await sent(elsewhere, ways["WebM"])
    code, output = await administered.service.command(
        "admin", "-c", str(administered.service.config), "audit", administered.admin.user_id
    )
    assert code == 0
    assert f'blocked reason="an advertisement" source_hash="{row["hash"]}"' in output
    assert f'unblocked source_hash="{row["hash"]}"' in output


async def test_the_audit_log(administered: AdministeredService) -> None:
    _, short = await administered.send()
    await administered.room(f"!reel quarantine {short} “quoted”")
    await administered.room("!reel undo")
    (row,) = await administered.service.rows("SELECT id FROM videos WHERE left(id::text, 8) = $1", short[1:])
    audit = ("admin", "audit", "-c", str(administered.service.config))
    for whom in (str(row["id"]), administered.bob.user.user_id, administered.bob.room_id, administered.admin.user_id):
        code, output = await administered.service.command(
            "admin", "-c", str(administered.service.config), "audit", whom
        )
        assert code == 0, output
        # What was taken away before is erased when its time has come, perhaps now.
        first, last = [proxy for proxy in output.splitlines() if f" {administered.admin.user_id} " in proxy][-2:]
        assert f' {administered.admin.user_id} quarantined video="{row["id"]}"' in first
        assert 'reason="“quoted”"' in first
        assert f" {administered.admin.user_id} released " in last
    code, output = await administered.service.command(*audit[:1], *audit[2:], "audit", "--most", "1")
    assert (code, len(output.splitlines())) == (0, 1)
    code, output = await administered.service.command(*audit[:1], *audit[2:], "audit", "somebody")
    assert (code, "is neither a user id" in output) == (2, True)


async def test_what_the_management_room_is_notified_of(administered: AdministeredService) -> None:
    event_id, short = await administered.send()
    (row,) = await administered.service.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
    assert (await administered.alone("notices off")).text.startswith("Notices are off")
    for attempts in (1, 2):
        await _wait_in_queue(administered, str(row["id"]), attempts=attempts, when="0 s")
        await administered.in_state(event_id, "failed")
        if attempts == 1:
            # What happened meanwhile is not reported afterwards.
            await eventually(lambda: _no_alarms(administered), what="the end of what nobody wants to hear")
            assert [said.text for said in await administered.both("notices")] == [
                f"Notices are off: I say nothing in {administered.room.room_id} when something goes wrong."
            ] * 2
            assert (await administered.room("!reel notices on")).text.startswith("Notices are on")
    text = await wait_for_notice(administered.admin, administered.room.room_id, "I gave up on a video:")
    assert f"{short} of {administered.bob.user.user_id} in {administered.bob.room_id}." in text
    assert text.endswith(f"!reel requeue {short}")
    assert administered.clip.name not in text


async def _no_alarms(administered: AdministeredService) -> bool:
    return not await administered.service.rows("SELECT FROM troubles")


async def test_the_homeserver_away_and_the_disk_full(administered: AdministeredService) -> None:
    await administered.proxy.cut()

    async def missed() -> bool:
        # As if it had been away for long.
        return bool(
            await administered.service.rows(
                "UPDATE alarms SET since = now() - interval '5 minutes' WHERE subject = 'homeserver' RETURNING subject"
            )
        )

    await eventually(missed, what="the homeserver being missed")
    await administered.proxy.connect()
    await wait_for_notice(administered.admin, administered.room.room_id, "did not answer for 5 minutes")
    await administered.service.stop()
    administered.service.write_config(worker={"min_free": 10**12})
    await administered.service.start()
    await wait_for_notice(administered.admin, administered.room.room_id, "The disk is nearly full: ")
    assert "The disk is nearly full: make room" in (await administered.alone("status")).text
    await administered.service.stop()
    administered.service.write_config(worker={"min_free": 0})
    await administered.service.start()
    await wait_for_notice(administered.admin, administered.room.room_id, "There is room on the disk again: ")
    notices = [
        event["content"].get("body", "") for event in await administered.admin.messages(administered.room.room_id)
    ]
    assert sum("nearly full: " in text for text in notices) == 1
