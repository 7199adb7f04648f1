"""Why a video failed, as its sender reads it."""

from appservice import resources
from appservice.core.model import Kind
from appservice.core.settings import RoomSettings
from appservice.i18n import Texts
from appservice.worker.reasons import reason_of
from tests.support.factories import make_room


def test_the_rooms_own_limit_is_stated() -> None:
    texts = Texts(resources.locales(), "en")
    strict, free = make_room(settings=RoomSettings(max_length=90)), make_room()
    assert reason_of("too-long", strict, texts).endswith("Here a video may be 1:30 long (minutes:seconds).")
    assert reason_of("too-long", free, texts) == reason_of("too-long", None, texts) == texts.failure("too-long")
    assert reason_of("too-long", strict, texts, Kind.VOICE) == (
        "The sound is too long for this room. Send a shorter one. Here a sound may be 1:30 long (minutes:seconds)."
    )
    assert reason_of("media-gone", strict, texts) == texts.failure("media-gone")
