"""A member's page as data: addresses, order, and the one rendition for players that know no playlists."""

import pytest

from appservice.core.model import PublicMember, UserId
from appservice.core.web.member_page import machine_length, member_path, member_view, progressive, spoken_length
from tests.support.factories import ALICE, make_video, rendition


def test_a_page_with_its_addresses() -> None:
    videos = [make_video(2, title="Second"), make_video(1, has_poster=False)]
    view = member_view(PublicMember(ALICE, "Alice", "mxc://example.org/a", videos))
    assert [video.id for video in view.videos] == [video.id for video in videos]
    root = "/u/@alice:example.org"
    assert view.avatar_url == f"{root}/avatar"
    assert view.reel_url.startswith(f"{root}/reel/")
    assert view.videos[0].poster_url == f"{root}/v/{videos[0].id}/1-ready/poster.jpg"
    assert view.videos[0].video_url == f"{root}/v/{videos[0].id}/1-ready/video.mp4"
    assert view.videos[1].poster_url is None
    # Where it was sent is nobody's business.
    assert "room" not in view.model_dump_json()
    assert "$event" not in view.model_dump_json()


@pytest.mark.parametrize(
    ("user_id", "path"),
    [
        ("@alice:example.org", "/u/@alice:example.org"),
        ("@a/b+c=d:[::1]:8448", "/u/@a%2Fb%2Bc%3Dd:%5B::1%5D:8448"),
        ("@ü%?#:x", "/u/@%C3%BC%25%3F%23:x"),
    ],
)
def test_any_user_has_a_path(user_id: str, path: str) -> None:
    assert member_path(UserId(user_id)) == path


@pytest.mark.parametrize(
    ("heights", "chosen"), [([1080, 720, 240], "720"), ([2160, 1080], "1080"), ([360, 240], "360")]
)
def test_the_rendition_for_everybody(heights: list[int], chosen: str) -> None:
    renditions = [rendition(str(height), width=height * 2, height=height) for height in heights]
    assert progressive(renditions)[0].name == chosen


@pytest.mark.parametrize(("seconds", "spoken"), [(0.0, "0:00"), (7.9, "0:07"), (754.0, "12:34"), (3723.0, "1:02:03")])
def test_lengths(seconds: float, spoken: str) -> None:
    assert spoken_length(seconds) == spoken
    assert machine_length(seconds) == f"PT{int(seconds)}S"
