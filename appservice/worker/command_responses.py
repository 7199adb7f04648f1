"""Responds to who signs browsers in or out: a reaction to the message, and a notice in its thread."""

from collections.abc import Mapping
from typing import Any

import structlog

from appservice.core.errors import ForbiddenError
from appservice.core.jobs import RespondToSignIn
from appservice.core.sign_in_codes import SIGN_OUT_COMMAND, SignInOutcome
from appservice.core.text.markup import code
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient

log = structlog.get_logger()

_DONE = "✅"


async def respond_to_sign_in(job: RespondToSignIn, homeserver: HomeserverClient, texts: Texts) -> None:
    """Say what became of a message that signs in or out. May be repeated."""
    text = _text(job.outcome, job.user_id, job.arguments, texts)
    try:
        if job.outcome in {SignInOutcome.SIGNED_IN, SignInOutcome.SIGNED_OUT}:
            await homeserver.send_reaction(job.room_id, job.event_id, _DONE)
        await homeserver.send_notice(job.room_id, text, once=f"{job.event_id}|answer", thread=job.thread)
    except ForbiddenError as error:
        log.warning("notice_refused", room_id=job.room_id, subject=job.outcome, reason=str(error))


def _text(outcome: SignInOutcome, user_id: str, arguments: Mapping[str, Any], texts: Texts) -> str:
    match outcome:
        case SignInOutcome.SIGNED_IN:
            browser = arguments["browser"] or texts.say("bot-some-browser")
            return texts.say("bot-signed-in", {"user": user_id, "browser": browser, "command": code(SIGN_OUT_COMMAND)})
        case SignInOutcome.SIGNED_OUT:
            return texts.say("bot-signed-out", {"user": user_id, "count": arguments["count"]})
        case SignInOutcome.WRONG_CODE:
            return texts.say("bot-wrong-code")
        case SignInOutcome.TOO_MANY_CODES:
            return texts.say("bot-too-many-codes")
