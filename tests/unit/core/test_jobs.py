"""Kinds of jobs, and what is stored of them: workers of two releases share one table."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from appservice.core import jobs
from appservice.core.model import EventId, RoomId, UploadId, UserId, VideoId
from appservice.core.sign_in_codes import SignInOutcome

ID = "0b2f3c5e-6d58-4f0a-9a3e-1f0f6f3f2b11"
VIDEO, ROOM, USER, EVENT = VideoId(ID), RoomId("!room:example.org"), UserId("@alice:example.org"), EventId("$event")

STORED = [
    ("video", ID, jobs.TranscodeVideo(VIDEO)),
    ("upload", ID, jobs.ConvertUpload(UploadId(ID))),
    ("verdict", ID, jobs.RequestVerdict(VIDEO)),
    ("status", ID, jobs.UpdateStatus(VIDEO)),
    ("queue_post", ID, jobs.UpdateQueuePosts(VIDEO)),
    ("sweep", ID, jobs.SweepFiles(VIDEO)),
    ("sweep_stages", f'{{"video_id": "{ID}", "stages": ["1-a-ready"]}}', jobs.SweepStages(VIDEO, ("1-a-ready",))),
    ("room", ROOM, jobs.TendRoom(ROOM)),
    ("command", ROOM, jobs.RunCommands(ROOM)),
    ("policy", ROOM, jobs.ReadPolicyList(ROOM)),
    ("policy", "", jobs.EnforcePolicies()),
    (
        "export",
        '{"user_id": "@alice:example.org", "room_id": "!room:example.org",'
        ' "asked_at": "2026-11-30T09:30:46.123456+00:00"}',
        jobs.MakeExport(USER, ROOM, datetime(2026, 11, 30, 9, 30, 46, 123456, UTC)),
    ),
    (
        "answer",
        '{"room_id": "!room:example.org", "event_id": "$event", "thread": "$root", "user_id": "@alice:example.org",'
        ' "outcome": "signed-in", "arguments": {"browser": "Firefox on Linux"}}',
        jobs.RespondToSignIn(
            ROOM, EVENT, EventId("$root"), USER, SignInOutcome.SIGNED_IN, {"browser": "Firefox on Linux"},
        ),
    ),
    (
        "tell",
        '{"room_id": "!room:example.org", "user_id": "@alice:example.org", "thread": null, "message": "bot-rejected",'
        ' "arguments": {"title": "\\u6e29\\u6cc9", "sent": 1764495046000}, "once": "ab12",'
        f' "once_gone": {{"id": "{ID}", "version": 4}}}}',
        jobs.Notify(
            ROOM, USER, None, "bot-rejected", {"title": "温泉", "sent": 1764495046000}, once="ab12",
            once_gone=jobs.OnceGone(VIDEO, 4),
        ),
    ),
    (
        "opt_in",
        '{"room_id": "!room:example.org", "message": "bot-opted-in", "user_id": "@alice:example.org",'
        ' "at": 1764495046000, "once": "ab12", "count": 0}',
        jobs.NotifyRoom(ROOM, "bot-opted-in", USER, 1764495046000, once="ab12"),
    ),
    ("newcomers", ROOM, jobs.NotifyNewcomers(ROOM)),
    (
        "alarm",
        '{"subject": "disk-low", "details": {"free": 12}, "count": 2, "once": "ab12"}',
        jobs.NotifyAdmins("disk-low", {"free": 12}, 2, once="ab12"),
    ),
    (
        "reaction",
        f'{{"video_id": "{ID}", "user_id": "@alice:example.org", "approves": false}}',
        jobs.DecideByReaction(VIDEO, USER, approves=False),
    ),
    ("forget", '{"unsent": "mxc://example.org/a"}', jobs.DeleteUnsent("mxc://example.org/a")),
    (
        "forget",
        '{"room_id": "!room:example.org", "event_id": "$event", "mxc": "mxc://example.org/a",'
        ' "sender": "@alice:example.org", "redact": true}',
        jobs.DeleteMessage(ROOM, EVENT, redact=True, mxc="mxc://example.org/a", sender=USER),
    ),
    (
        "forget",
        '{"room_id": "!room:example.org", "event_id": "$event", "mxc": "", "redact": true, "said": true, "tried": 3}',
        jobs.DeleteMessage(ROOM, EVENT, redact=True, said=True, tried=3),
    ),
    ("timeline", '{"room_id": "!room:example.org", "history": null}', jobs.Backfill(ROOM)),
    ("timeline", '{"room_id": "!room:example.org", "history": 500}', jobs.Backfill(ROOM, 500)),
    ("timeline", '{"room_id": "!room:example.org", "event_id": "$event"}', jobs.ReadAgain(ROOM, EVENT)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "payload", "job"), STORED)
def test_a_job_that_release_0_1_queued_is_read(name: str, payload: str, job: jobs.AnyJob) -> None:
    assert jobs.read_job(name, payload) == job


@pytest.mark.parametrize(("name", "payload", "job"), STORED)
def test_release_0_1_reads_what_is_queued_now(name: str, payload: str, job: jobs.AnyJob) -> None:
    assert job.name == name
    if payload.startswith("{"):
        assert json.loads(job.payload()).items() >= json.loads(payload).items()
    else:
        assert job.payload() == payload


@pytest.mark.parametrize(("name", "payload", "job"), STORED)
def test_what_is_queued_is_what_is_done(name: str, payload: str, job: jobs.AnyJob) -> None:
    del payload
    assert jobs.read_job(name, job.payload()) == job


def test_a_notification_of_before_there_were_conditions_has_none() -> None:
    payload = (
        '{"room_id": "!room:example.org", "user_id": "@alice:example.org", "thread": "$event",'
        ' "message": "bot-moderators-add", "arguments": {}, "once": "ab12"}'
    )
    assert jobs.read_job("tell", payload) == jobs.Notify(ROOM, USER, EVENT, "bot-moderators-add", {}, once="ab12")


def test_each_kind_waits_in_one_queue_and_is_shown_above() -> None:
    kinds = get_args(jobs.AnyJob)
    assert {type(job) for _, _, job in STORED} == set(kinds)
    names = [name for queue in jobs.Queue for name in jobs.names_in(queue)]
    assert len(names) == len(set(names))
    assert {(kind.name, kind.queue) for kind in kinds} == {
        (name, queue) for queue in jobs.Queue for name in jobs.names_in(queue)
    }


@pytest.mark.parametrize(
    ("name", "payload"),
    [("nothing", ""), ("export", "{}"), ("export", "no JSON"), ("forget", '{"room_id": "!r:e.org"}')],
)
def test_what_no_release_queued_is_refused(name: str, payload: str) -> None:
    with pytest.raises(ValueError, match=r"jobs called|validation error|JSON"):
        jobs.read_job(name, payload)
