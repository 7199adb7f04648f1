"""The bot's answers to commands: a reaction to the message, and a notice in its thread that says what happened."""

import json
from collections.abc import Mapping
from typing import Any

import structlog

from appservice.core.errors import ForbiddenError
from appservice.core.model import EventId, RoomId
from appservice.core.sign_in_codes import SIGN_OUT_COMMAND
from appservice.core.text.markup import code
from appservice.i18n import Texts
from appservice.matrix.client import Homeserver
from appservice.store.intake import Outcome

log = structlog.get_logger()

_DONE = "✅"


async def answer_command(payload: str, homeserver: Homeserver, texts: Texts) -> None:
    """Answer a command by what became of it, as `store.intake` queued it. May be repeated."""
    answer = json.loads(payload)
    room_id, event_id, outcome = RoomId(answer["room_id"]), EventId(answer["event_id"]), Outcome(answer["outcome"])
    text = _text(outcome, answer["user_id"], answer["arguments"], texts)
    try:
        if outcome in {Outcome.SIGNED_IN, Outcome.SIGNED_OUT}:
            await homeserver.send_reaction(room_id, event_id, _DONE)
        await homeserver.send_notice(room_id, text, once=f"{event_id}|answer", thread=EventId(answer["thread"]))
    except ForbiddenError as error:
        log.warning("notice_refused", room_id=room_id, subject=outcome, reason=str(error))


def _text(outcome: Outcome, user_id: str, arguments: Mapping[str, Any], texts: Texts) -> str:
    match outcome:
        case Outcome.SIGNED_IN:
            browser = arguments["browser"] or texts.say("bot-some-browser")
            return texts.say("bot-signed-in", {"user": user_id, "browser": browser, "command": code(SIGN_OUT_COMMAND)})
        case Outcome.SIGNED_OUT:
            return texts.say("bot-signed-out", {"user": user_id, "count": arguments["count"]})
        case Outcome.WRONG_CODE:
            return texts.say("bot-wrong-code")
        case Outcome.TOO_MANY_CODES:
            return texts.say("bot-too-many-codes")
