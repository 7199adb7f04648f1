"""Fetch what a player would."""

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from tests.support.viewer import Viewer


async def fetch_all(viewer: Viewer, video: Mapping[str, object]) -> int:
    """Fetch each playlist and each segment of a video; return how many there are."""
    queue, seen = [str(video["playlist_url"])], set[str]()
    while queue:
        url = queue.pop()
        if url in seen:
            continue
        seen.add(url)
        status, body = await viewer.fetch(url)
        assert status == 200, url
        assert body
        if urlsplit(url).path.endswith(".m3u8"):
            for line in body.decode().splitlines():
                if line.startswith("#EXT-X-MAP"):
                    queue.append(urljoin(url, line.partition('URI="')[2].partition('"')[0]))
                elif line and not line.startswith("#"):
                    queue.append(urljoin(url, line))
    return len(seen)
