"""The web server in this process, without a homeserver beside it, and what every test of its routes needs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.databases import CreateDatabase
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, serving, transcode_video
from transcode import Tools


@pytest.fixture(scope="session")
async def service(create_migrated: CreateDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A web server for all tests; each makes rooms and users of its own."""
    async with serving(tmp_path_factory.mktemp("contract"), await create_migrated("contract")) as service:
        yield service


@pytest.fixture(autouse=True)
def _documented(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compare every response that a test got with the API document."""
    service = request.getfixturevalue("service") if "service" in request.fixturenames else None
    yield
    if service is not None:
        differences, service.agreement.differences = service.agreement.differences, []
        assert differences == []


@pytest.fixture(scope="session")
async def transcoded(clip: Path, tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> TranscodedVideo:
    """A small video, transcoded once."""
    return await transcode_video(clip, tmp_path_factory.mktemp("transcoded") / "out", tools)


@pytest.fixture
async def moderated(service: Service, transcoded: TranscodedVideo) -> ModeratedRoom:
    return await ModeratedRoom.make(service, transcoded)
