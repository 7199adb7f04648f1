"""What members do with videos by commands: what the widget's menu does, with its rights, and words for mistakes."""

from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import VERSIONS, CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


@dataclass
class ModeratedRoom:
    """A room of alice's, where she is the moderator; bob has three videos there, and mallory is another member."""

    alice: CommandSender
    bob: CommandSender
    mallory: CommandSender
    viewer: Viewer
    events: list[str]
    videos: list[str]

    async def titles(self) -> list[str]:
        for member in (await self.viewer.room())["members"]:
            if member["user_id"] == self.bob.user.user_id:
                return [video["title"] for video in member["videos"]]
        return []


async def _moderated(
    reel: Installation, http: aiohttp.ClientSession, owner: MatrixClient, sender: MatrixClient, other: MatrixClient,
    clip: Path, version: str,
) -> ModeratedRoom:  # fmt: skip
    room_id = await make_room(owner, reel, sender, other, version=version)
    viewer = await reel.viewer(http, sender, room_id)
    events = [await sender.send_video(room_id, clip, body=f"{name}.mp4") for name in ("lake", "sea", "hill")]
    videos = [(await viewer.video_in(event_id, "ready"))["id"] for event_id in events]
    return ModeratedRoom(
        CommandSender(owner, room_id),
        CommandSender(sender, room_id),
        CommandSender(other, room_id),
        viewer,
        events,
        videos,
    )


@pytest.fixture(scope="module", params=VERSIONS)
async def moderated(
    request: pytest.FixtureRequest, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient,
    bob: MatrixClient, mallory: MatrixClient, clip: Path,
) -> ModeratedRoom:  # fmt: skip
    return await _moderated(reel, http, alice, bob, mallory, clip, request.param)


async def test_lists(moderated: ModeratedRoom, reel: Installation) -> None:
    said = await moderated.bob("!reel mine")
    lines = said.text.splitlines()
    assert lines[0] == "Your 3 videos:"
    assert [line.split(" · ")[0] for line in lines[1:]] == ["1. lake", "2. sea", "3. hill"]
    assert lines[1].split(" · ")[1:] == ["0:02", f"#{moderated.videos[0][:8]}"]
    assert said.html.startswith('<p>Your 3 videos:</p>\n<ol start="1">\n<li>lake · ')
    said = await moderated.mallory("!reel list")
    assert "3 videos in this room:" in said.text
    assert f"({moderated.bob.user.user_id}): 3 videos" in said.text
    said = await moderated.mallory(f"!reel list {moderated.bob.user.user_id}")
    assert "2. sea · " in said.text
    assert (await moderated.mallory("!reel mine")).text.startswith("You have no videos yet.")
    # A file that a camera named is called by its date.
    await reel.rows("UPDATE videos SET title = 'PXL_20261129_103211123' WHERE id = $1::uuid", moderated.videos[1])
    assert "2. Video of November 29, 2026, 10:32 UTC · 0:02 · " in (await moderated.bob("!reel mine")).text
    await reel.rows("UPDATE videos SET title = 'sea' WHERE id = $1::uuid", moderated.videos[1])
    assert (await moderated.bob("!reel mine 2")).text == "Your 3 videos:"
    for wrong in ("!reel mine x", "!reel mine 0", "!reel list bob", "!reel list @bob", "!reel mine 1 2"):
        assert "It is written like this:" in (await moderated.bob(wrong)).text, wrong


async def test_links(moderated: ModeratedRoom, reel: Installation) -> None:
    said = await moderated.mallory("!reel play", about=moderated.events[1])
    assert said.text.startswith("Watch “sea”: ")
    assert f"video={moderated.videos[1]}" in said.text
    assert (await moderated.bob("!reel link 2")).text == said.text
    assert (await moderated.mallory(f"!reel play {moderated.bob.user.user_id} 2")).text == said.text
    assert (await moderated.mallory(f"!reel play #{moderated.videos[1][:10].replace('-', '')}")).text == said.text
    assert "Watch this room: " in (await moderated.mallory("!reel play")).text
    assert "I know no video #000000" in (await moderated.bob("!reel play #000000")).text
    assert (await moderated.bob("!reel play 9")).text == "There is no video 9: the list has 3 videos."


async def test_changes(moderated: ModeratedRoom) -> None:
    said = await moderated.bob("!reel rename 1  Lake   at dawn ")
    assert (said.text, said.reactions) == ("“lake” is called “Lake at dawn” now.", ["✅"])
    assert (await moderated.bob("!reel move 1 3")).text == "“Lake at dawn” is at place 3 of 3 now."
    assert await moderated.titles() == ["sea", "hill", "Lake at dawn"]
    assert "place 1 of 3" in (await moderated.bob("!reel move first", about=moderated.events[0])).text
    assert "place 2 of 3" in (await moderated.bob("!reel move 2", about=moderated.events[0])).text
    assert "place 1 of 3" in (await moderated.bob("!reel move 2 up")).text
    assert await moderated.titles() == ["Lake at dawn", "sea", "hill"]
    assert (
        await moderated.bob("!reel rename lake", about=moderated.events[0])
    ).text == "“Lake at dawn” is called “lake” now."
    assert "hidden from the others" in (await moderated.bob("!reel hide 2")).text
    assert (await moderated.mallory("!reel play", about=moderated.events[1])).text.startswith("Which video?")
    assert "· hidden ·" in (await moderated.bob("!reel mine")).text
    assert "sees “sea” again" in (await moderated.bob("!reel show 2")).text
    for wrong in ("rename 1", "rename", "move 1", "move 1 sideways", "move 1 0", "hide 1 2", "delete x"):
        said = await moderated.bob(f"!reel {wrong}")
        assert said.reactions == ["❓"], wrong
    assert "from one to 200 characters" in (await moderated.bob(f"!reel rename 1 {'x' * 201}")).text
    assert await moderated.titles() == ["lake", "sea", "hill"]


async def test_what_is_shown_to_others(moderated: ModeratedRoom, http: aiohttp.ClientSession) -> None:
    page = f"{moderated.viewer.base_url}/u/{moderated.bob.user.user_id}"
    said = await moderated.bob("!reel publish 3")
    assert f"/u/{moderated.bob.user.user_id}#{moderated.videos[2]}" in said.text
    async with http.get(page) as response:
        assert moderated.videos[2] in await response.text()
    assert "On the public page: " in (await moderated.mallory("!reel play", about=moderated.events[2])).text
    assert "no longer on your public page" in (await moderated.bob("!reel unpublish 3")).text
    async with http.get(page) as response:
        assert moderated.videos[2] not in await response.text()
    assert "is your video avatar now" in (await moderated.bob("!reel avatar 1")).text
    assert "no longer your video avatar" in (await moderated.bob("!reel avatar off")).text
    assert "no video avatar" in (await moderated.bob("!reel avatar off")).text


async def test_deleting_and_taking_it_back(moderated: ModeratedRoom, reel: Installation) -> None:
    said = await moderated.bob("!reel delete 2")
    await reel.keep_deletions_open()
    assert said.text.splitlines()[0] == "“sea” is deleted."
    assert "within 8 seconds: !reel undelete" in said.text
    assert await moderated.titles() == ["lake", "hill"]
    assert "There is nothing that could be brought back" in (await moderated.mallory("!reel undelete")).text
    assert (await moderated.bob("!reel undelete")).text == "“sea” is back."
    assert await moderated.titles() == ["lake", "sea", "hill"]


async def test_without_the_right(moderated: ModeratedRoom) -> None:
    for command in ("rename {} x", "move {} 1", "hide {}", "show {}", "delete {}", "avatar {}", "publish {}"):
        said = await moderated.mallory("!reel " + command.format(f"{moderated.bob.user.user_id} 1"))
        assert said.text == "You may not do this with that video.", command
        assert said.reactions == ["❓"]
    assert await moderated.titles() == ["lake", "sea", "hill"]
    # A moderator may, but nobody makes public what another sent, or wears it.
    for command in ("avatar {}", "publish {}"):
        said = await moderated.alice("!reel " + command.format(f"{moderated.bob.user.user_id} 1"))
        assert said.text == "You may not do this with that video."
    assert "is hidden" in (await moderated.alice(f"!reel hide {moderated.bob.user.user_id} 3")).text
    assert (await moderated.bob("!reel show 3")).text == "You may not do this with that video."
    assert "again" in (await moderated.alice(f"!reel show {moderated.bob.user.user_id} 3")).text


async def test_reports(moderated: ModeratedRoom, reel: Installation) -> None:
    assert "Thank you." in (await moderated.mallory("!reel report It is loud", about=moderated.events[0])).text
    (row,) = await reel.rows("SELECT * FROM reports WHERE video_id = $1::uuid", moderated.videos[0])
    assert (row["reporter"], row["reason"]) == (moderated.mallory.user.user_id, "It is loud")
    assert "delete it, rather" in (await moderated.bob("!reel report 1")).text
    assert "Which video?" in (await moderated.mallory("!reel report")).text


async def test_alone_with_the_bot_all_rooms_are_one_list(
    reel: Installation,
    http: aiohttp.ClientSession,
    synapse: Synapse,
    alice: MatrixClient,
    bob: MatrixClient,
    clip: Path,
) -> None:
    async with await synapse.user("traveller") as traveller:
        dens = [await _moderated(reel, http, alice, traveller, bob, clip, version) for version in VERSIONS]
        alone = CommandSender(traveller, await open_direct(traveller, reel))
        said = await alone("mine")
        assert said.text.startswith("Your 6 videos:")
        assert "6. hill · " in said.text
        assert "“hill” is called “Top” now." in (await alone("rename 6 Top")).text
        assert [await moderated.titles() for moderated in dens] == [["lake", "sea", "hill"], ["lake", "sea", "Top"]]
        assert "place 1 of 3" in (await alone("move 6 first")).text
        assert await dens[1].titles() == ["Top", "lake", "sea"]
        assert "undelete" in (await alone("delete 1")).text
        await reel.keep_deletions_open()
        assert "“lake” is back." in (await alone("undelete")).text
        assert (await alone("list")).text.startswith("You have 6 videos:")


async def test_everybody_in_their_language(
    reel: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, clip: Path
) -> None:
    async with await synapse.user("xiaoming") as xiaoming:
        xiaomings = CommandSender(xiaoming, await make_room(alice, reel, xiaoming))
        assert "language = default – " in (await xiaomings("!reel settings")).text
        assert (await xiaomings("!reel settings language zh")).text == "language 现在是 zh。"
        assert (await xiaomings("!reel 我的")).text.startswith("你还没有视频。")
        assert "应该这样写" in (await xiaomings("!reel mine 呀")).text
        assert (await xiaomings("!reel settings language zh-Hant")).text == "language 現在是 zh-TW。"
        assert (await xiaomings("!reel 我的")).text.startswith("你還沒有影片。")
        assert "已隱藏" not in (await xiaomings("!reel 清單")).text
        for wrong in ("language tlh", "language", "colour red"):
            assert (await xiaomings(f"!reel settings {wrong}")).reactions == ["❓"], wrong
        # Others get responses in theirs; and whoever wants none of it has no reel.
        assert (await CommandSender(alice, xiaomings.room_id)("!reel mine")).text.startswith("You have no videos yet.")
        assert "off" in (await xiaomings("!reel settings add off")).text
        kept = await xiaoming.send_video(xiaomings.room_id, clip)
        await xiaomings("!reel settings add default")
        event_id = await xiaoming.send_video(xiaomings.room_id, clip)
        viewer = await reel.viewer(http, xiaoming, xiaomings.room_id)
        await viewer.video_in(event_id, "ready")
        assert await viewer.video(kept) is None


async def test_a_crash_does_not_do_it_twice(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    for _ in range(2):
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    interrupted = await alice.send_text(room_id, "never mind")
    await spare.kill()
    # As it is when somebody died between the change and the response; and an event that the homeserver does not know.
    for event_id in (interrupted, "$gone"):
        await spare.rows(
            "INSERT INTO commands (event_id, room_id, sender, body, thread, taken_at) "
            "VALUES ($3, $1, $2, 'delete 1', $3, now())", room_id, alice.user_id, event_id,
        )  # fmt: skip
    await spare.start()

    async def done() -> bool:
        return not await spare.rows("SELECT FROM commands WHERE done_at IS NULL")

    await eventually(done, what="the response to the interrupted command")
    notices = [event["content"].get("body", "") for event in await alice.messages(room_id)]
    assert any(text.startswith("I was interrupted") for text in notices)
    assert len(await viewer.videos()) == 2
