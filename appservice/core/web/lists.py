"""What viewers with the same rights see of a room: who is there, everybody's list, and pages of it. Pure.

Made of a state (`room_state`), and of the lists before it where nothing changed.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from appservice.core.errors import InvalidParamError
from appservice.core.model import UserId, Video, VideoId, Visibility
from appservice.core.room import Member
from appservice.core.rules.video_permissions import may_see, waits
from appservice.core.web.reels import members_reel, revision_of
from appservice.core.web.room_state import Rights, RoomState, Sent, channel_key, reel_key

PAGE = 50
"""Videos on a page."""
MEMBERS_PAGE = 200
EVERYBODY, REVIEW = "*", "review"
"""Lists that are nobody's own: everybody's by time, and what moderators decide on."""

Key: TypeAlias = tuple[float, int, str] | tuple[int, int, str]
Find: TypeAlias = Callable[[Sequence[Key]], tuple[int, int]]
"""Returns where a page begins among the keys of a list, and ends."""
_CURSOR = re.compile(r"(-?[0-9]{1,17}(?:\.[0-9]{1,25})?(?:e[+-]?[0-9]{1,3})?)_(-?[0-9]{1,18})_([0-9a-f-]{1,36})")


@dataclass(frozen=True, slots=True)
class Head:
    """A member as all see them: the revision of their reel (None: nothing plays), and how many videos they show.

    `playable`: how many of them can be watched. `latest`: when the latest was sent, -1 without any.
    """

    member: Member
    reel: str | None
    worn: Video | None
    count: int
    playable: int
    latest: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a list: which one it is, how long the list is, and the index of the page's first."""

    of: str
    total: int
    start: int
    videos: Sequence[Video]
    before: str | None
    after: str | None


class Lists:
    """A room's lists for viewers with the same rights."""

    def __init__(
        self, state: RoomState, rights: Rights, bot: UserId, earlier: "Lists | None" = None,
        whole: "Lists | None" = None,
    ) -> None:  # fmt: skip
        """Make them of those `earlier` of the same viewers, or of the `whole` of whom nothing is withheld from."""
        self.state, self.rights = state, rights
        self.viewer = rights.viewer(state.room)
        self.visible: dict[UserId, Sent] = {}
        self.heads: dict[UserId, Head] = {}
        self._everybody: list[tuple[int, int, str]] | None = None
        self._order: list[UserId] | None = None
        self._whole = whole
        if whole:
            self._take_from(whole)
        else:
            self._make(bot, earlier if earlier is not None and earlier.viewer == self.viewer else None)

    def _take_from(self, whole: "Lists") -> None:
        videos = self.state.videos
        others = {videos[each].sender for each in self.rights.withheld if each in videos}
        self.visible, self.heads = dict(whole.visible), dict(whole.heads)
        for user_id in others & self.heads.keys():
            self.visible[user_id] = tuple(video for video in whole.visible[user_id] if self._shows(video))
            self.heads[user_id] = _head(self.heads[user_id].member, self.visible[user_id])

    def _make(self, bot: UserId, known: "Lists | None") -> None:
        state = self.state
        same = known is not None and known.state.members.keys() == state.members.keys()
        for user_id, member in state.members.items():
            if user_id == bot:
                continue
            sent = state.sent.get(user_id, ())
            if known and user_id in known.heads and known.state.sent.get(user_id, ()) is sent:
                visible, head = known.visible[user_id], known.heads[user_id]
                if head.member != member:
                    head = _head(member, visible)
            else:
                visible = tuple(video for video in sent if self._shows(video))
                head = _head(member, visible)
                same = same and known is not None and _keys(known.visible.get(user_id, ())) == _keys(visible)
            self.visible[user_id], self.heads[user_id] = visible, head
        if known and same:
            self._everybody = known.everybody

    def _shows(self, video: Video) -> bool:
        return may_see(video, self.viewer) and video.id not in self.rights.withheld

    @property
    def order(self) -> list[UserId]:
        """Members with videos first, the latest sent first; then the others by name."""
        if self._order is None:
            self._order = sorted(self.heads, key=lambda each: _rank(self.heads[each]))
        return self._order

    @property
    def everybody(self) -> list[tuple[int, int, str]]:
        """The keys of all videos of those who are there, in the channel's order."""
        if self._everybody is None and self._whole:
            withheld = self.rights.withheld
            self._everybody = [key for key in self._whole.everybody if VideoId(key[2]) not in withheld]
        if self._everybody is None:
            self._everybody = sorted(channel_key(video) for sent in self.visible.values() for video in sent)
        return self._everybody

    def video(self, video_id: VideoId) -> Video | None:
        """Return a video that these viewers see."""
        video = self.state.videos.get(video_id)
        return video if video and video.sender in self.heads and self._shows(video) else None

    def still_sees(self, video: Video) -> bool:
        """Say whether these viewers (still) see a video that was read later than the lists."""
        known = self.video(video.id)
        return known is not None and known.arrival.history is video.arrival.history and may_see(video, self.viewer)

    def to_review(self) -> list[Video]:
        """Return what moderators decide on: what waits for them, then what was reported and shows."""
        if not self.rights.moderates:
            return []
        everything = [video for sent in self.visible.values() for video in sent]
        waiting = [video for video in everything if waits(video)]
        reports = self.state.reports
        reported = [v for v in everything if v.visibility is Visibility.SHOWN and reports.get(v.id, 0) > 0]
        return sorted(waiting, key=channel_key) + sorted(reported, key=channel_key)

    def page(self, of: str, find: Find | None = None) -> Slice:
        """Return the page of a list that `find` finds; by default the first."""
        find = find or at(0)
        if of == EVERYBODY:
            start, end = find(self.everybody)
            videos = [self.state.videos[VideoId(key[2])] for key in self.everybody[start:end]]
            return _slice(of, self.everybody, start, videos)
        listed = self.to_review() if of == REVIEW else self.visible.get(UserId(of), ())
        keys = [channel_key(video) if of == REVIEW else reel_key(video) for video in listed]
        start, end = find(keys)
        return _slice(of, keys, start, listed[start:end])

    def members_after(self, after: UserId | None) -> tuple[list[Head], str | None]:
        """Return a page of members, and the cursor of the next one; the first page where one has left meanwhile."""
        order = self.order
        start = order.index(after) + 1 if after in self.heads else 0
        page = order[start : start + MEMBERS_PAGE]
        return [self.heads[each] for each in page], page[-1] if start + len(page) < len(order) else None


def _head(member: Member, visible: Sent) -> Head:
    reel = members_reel(visible, member.user_id)
    return Head(
        member=member,
        reel=revision_of(reel) if reel else None,
        worn=next((v for v in visible if v.id == member.avatar_video and v.plays_by_itself), None),
        count=len(visible),
        playable=sum(video.has_media for video in visible),
        latest=max((video.created_at for video in visible), default=-1),
    )


def _rank(head: Head) -> tuple[int, str, str]:
    member = head.member
    return -head.latest, (member.display_name or member.user_id[1:]).casefold(), member.user_id


def _keys(sent: Sent) -> set[tuple[int, int, str]]:
    return {channel_key(video) for video in sent}


def _slice(of: str, keys: Sequence[Key], start: int, videos: Sequence[Video]) -> Slice:
    end = start + len(videos)
    return Slice(
        of, len(keys), start, videos,
        before=cursor_of(keys[start]) if 0 < start < len(keys) else None,
        after=cursor_of(keys[end - 1]) if 0 < end < len(keys) and videos else None,
    )  # fmt: skip


def cursor_of(key: Key) -> str:
    """Return a key as text: a page's end, which stays where it is whatever comes or goes beside it."""
    first, second, video_id = key
    return f"{first!r}_{second}_{video_id}"


def read_cursor(cursor: str) -> Key:
    """Read what `cursor_of` gave. Raises InvalidParamError."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidParamError("This is no cursor of ours.")
    return float(found[1]), int(found[2]), found[3]


def after(cursor: str) -> Find:
    """Return what finds the page after a cursor."""
    key = read_cursor(cursor)

    def find(keys: Sequence[Key]) -> tuple[int, int]:
        start = bisect_right(keys, key)
        return start, start + PAGE

    return find


def before(cursor: str) -> Find:
    """Return what finds the page that ends before a cursor."""
    key = read_cursor(cursor)

    def find(keys: Sequence[Key]) -> tuple[int, int]:
        end = bisect_left(keys, key)
        return max(0, end - PAGE), end

    return find


def around(video_id: str) -> Find:
    """Return what finds the whole page that a video is on; the first one where it is on none."""
    return lambda keys: _whole(next((n for n, key in enumerate(keys) if key[2] == video_id), 0))


def at(index: int) -> Find:
    """Return what finds the whole page of an index; the last one beyond the end."""
    return lambda keys: _whole(min(index, max(0, len(keys) - 1)))


def everything(keys: Sequence[Key]) -> tuple[int, int]:
    """Find all of a list as one page."""
    return 0, len(keys)


def _whole(index: int) -> tuple[int, int]:
    start = index // PAGE * PAGE
    return start, start + PAGE
