"""Faults planted into our own code, each the loss of something that holds under load, crashes or attack."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: in `file` the text `old`, which stands there once, becomes `new`; `tests` are to notice it."""

    fault: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_ATTEMPTS = "appservice/store/queries/attempts.sql"
_STORE = "tests/integration/test_store.py"

MUTANTS = (
    Mutant(
        "an overtaken attempt publishes",
        _ATTEMPTS,
        "WHERE id = :id AND attempts = :attempt AND visibility <> 'removed' AND CASE\n",
        "WHERE id = :id AND :attempt::integer IS NOT NULL AND visibility <> 'removed' AND CASE\n",
        (f"{_STORE}::test_a_worker_that_was_overtaken_changes_nothing",),
    ),
    Mutant(
        "an overtaken attempt appends segments",
        _ATTEMPTS,
        "WHERE id = :id AND attempts = :attempt AND stage = :stage AND state = 'playable'",
        "WHERE id = :id AND :attempt::integer IS NOT NULL AND :stage::text IS NOT NULL AND state = 'playable'",
        (f"{_STORE}::test_a_stage_in_progress_is_not_announced_and_then_is_whole",),
    ),
    Mutant(
        "a removed video is published",
        _ATTEMPTS,
        "WHERE id = :id AND attempts = :attempt AND visibility <> 'removed' AND CASE\n",
        "WHERE id = :id AND attempts = :attempt AND CASE\n",
        (f"{_STORE}::test_work_on_a_redacted_video_comes_to_nothing",),
    ),
    Mutant(
        "an attempt that was stopped counts",
        _ATTEMPTS,
        "UPDATE videos SET attempts = attempts - 1, percent = NULL, remaining = NULL WHERE",
        "UPDATE videos SET percent = NULL, remaining = NULL WHERE",
        (f"{_STORE}::test_an_attempt_that_was_stopped_from_outside_does_not_count",),
    ),
    Mutant(
        "a stage is announced before its files are there",
        "appservice/worker/publication.py",
        "        await self._publish(folder, published.stage)\n        await self._write_row(published)\n",
        "        await self._write_row(published)\n        await self._publish(folder, published.stage)\n",
        ("tests/contract/test_what_is_promised.py",),
    ),
    Mutant(
        "200 before the COMMIT",
        "appservice/web/transactions.py",
        "        await context.stores.intake.apply(_changes(events, context), _talks(events, context))\n",
        "        __import__('asyncio').ensure_future(\n"
        "            context.stores.intake.apply(_changes(events, context), _talks(events, context))\n"
        "        )\n",
        ("tests/contract/test_what_is_promised.py",),
    ),
    Mutant(
        "an event counts each time that it comes",
        "appservice/store/queries/intake_facts.sql",
        "    ON CONFLICT DO NOTHING RETURNING event_id\n",
        "    ON CONFLICT (event_id) DO UPDATE SET event_id = excluded.event_id RETURNING event_id\n",
        ("tests/integration/test_intake_sets.py",),
    ),
    Mutant(
        "a late response of the homeserver overwrites a kick",
        "appservice/store/queries/members.sql",
        "WHERE members.changed_at <= :requested_at AND (\n",
        "WHERE (\n",
        ("tests/integration/test_membership_order.py::test_every_order_of_events_and_a_response",),
    ),
    Mutant(
        "quotas are counted without their lock",
        "appservice/store/queries/quotas.sql",
        "SELECT pg_advisory_xact_lock(hashtextextended('quotas', 7417));",
        "SELECT hashtextextended('quotas', 7417);",
        ("tests/integration/test_quota_counts.py",),
    ),
    Mutant(
        "uploads are counted without their lock",
        "appservice/store/queries/uploads.sql",
        "SELECT pg_advisory_xact_lock(hashtextextended(:owner, 7402));",
        "SELECT hashtextextended(:owner, 7402);",
        ("tests/contract/test_uploads.py::test_of_ten_that_begin_at_once_three_stay",),
    ),
    Mutant(
        "two workers tend a room at once",
        "appservice/store/queries/rooms.sql",
        "SELECT pg_advisory_xact_lock(hashtextextended(:room_id, 7401));",
        "SELECT hashtextextended(:room_id, 7401);",
        (f"{_STORE}::test_one_worker_at_a_time_tends_a_room",),
    ),
    Mutant(
        "the bot's device has two owners",
        "appservice/database/exclusive.py",
        'if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):',
        'if not await connection.fetchval("SELECT $1::bigint IS NOT NULL", lock):',
        ("tests/integration/test_exclusive.py",),
    ),
    Mutant(
        "who lost the bot's device goes on writing",
        "appservice/database/exclusive.py",
        '            "roomreel.fence": f"{self.lock}:{self.number}",\n',
        "",
        ("tests/integration/encryption/test_fence.py",),
    ),
    Mutant(
        "signatures are not compared",
        "appservice/core/tokens.py",
        "return hmac.compare_digest(_sign(key, purpose, message).encode(), _bytes(signature))",
        "return len(_sign(key, purpose, message).encode()) == len(_bytes(signature))",
        ("tests/unit/core/test_tokens.py",),
    ),
    Mutant(
        "a change of a room invalidates no grant",
        "appservice/web/access.py",
        "for cache in (self._viewers, self._stages, ",
        "for cache in (self._stages, ",
        ("tests/unit/web/test_access.py::test_what_changed_is_queried_again",),
    ),
    Mutant(
        "a deleted video keeps its key",
        "appservice/store/queries/removal.sql",
        "    DELETE FROM media_keys WHERE video_id = ANY (:ids)\n",
        "    SELECT FROM media_keys WHERE video_id = ANY (:ids)\n",
        ("tests/integration/test_media_keys.py::test_no_key_outlives_its_video",),
    ),
    Mutant(
        "a stage that may be needed again is swept",
        "appservice/worker/sweeping.py",
        "for stage in (video.media.stage, video.media.replaced_stage) if stage}",
        "for stage in (video.media.stage,) if stage}",
        ("tests/integration/test_sweeping.py::test_what_an_edit_may_still_give_back_stays",),
    ),
    Mutant(
        "a deletion cannot be undone",
        "appservice/store/queries/video_changes.sql",
        "WHERE deleted_at <= now() - make_interval(secs => :seconds) FOR UPDATE SKIP LOCKED;",
        "WHERE deleted_at <= now() - make_interval(secs => :seconds * 0) FOR UPDATE SKIP LOCKED;",
        ("tests/integration/test_galleries.py::test_what_can_still_be_brought_back_stays",),
    ),
    Mutant(
        "a secret goes to a room that others made",
        "appservice/worker/private_chats.py",
        "if audience is None or not audience.is_for_secrets(self.homeserver.bot, user_id):",
        "if audience is None:",
        ("tests/integration/test_who_reads.py",),
    ),
    Mutant(
        "links of the sandbox are followed",
        "transcode/process/collect.py",
        "_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "_FILE = os.O_RDONLY | os.O_NONBLOCK",
        (
            "tests/integration/transcode/test_planted.py::test_a_link_that_takes_the_name_between_two_calls_is_not_followed",
        ),
    ),
    Mutant(
        "bytes of an upload are taken at any offset",
        "appservice/web/uploads.py",
        "        if end.offset != offset:\n",
        "        if end.offset < offset:\n",
        ("tests/contract/test_uploads.py::test_the_rules_of_tus",),
    ),
    Mutant(
        "videos of workers that died are not taken up",
        "appservice/store/attempts.py",
        "        async with self._transaction() as connection:\n            return await resume(connection)\n",
        "        return 0\n",
        (f"{_STORE}::test_unfinished_videos_without_a_job_get_one",),
    ),
    Mutant(
        "a homeserver vouches for another's user",
        "appservice/matrix/openid.py",
        'if match is None or match["server"] != server_name:',
        "if match is None:",
        (
            "tests/contract/test_sessions.py",
            "tests/integration/test_identity.py",
        ),
    ),
    Mutant(
        "anybody sends transactions",
        "appservice/web/transactions.py",
        'if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), expected.encode()):',
        'if hmac.compare_digest(b"", expected.encode()):',
        ("tests/contract/test_errors.py",),
    ),
    Mutant(
        "addresses within others are called",
        "appservice/matrix/discovery.py",
        "public = plain.is_global and not plain.is_multicast and not special",
        "public = plain.is_global and not plain.is_multicast and special is not None",
        ("tests/unit/test_discovery.py",),
    ),
    Mutant(
        "a file longer than it said is stored",
        "appservice/matrix/download.py",
        "        if size > max_bytes:\n",
        "        if size > 1000 * max_bytes:\n",
        ("tests/integration/test_download.py",),
    ),
    Mutant(
        "all members watch what is hidden",
        "appservice/core/rules/video_permissions.py",
        "return video.visibility is Visibility.SHOWN or _may_show(video, viewer)",
        "return video.visibility is not Visibility.REMOVED",
        ("tests/unit/core/rules/test_video_permissions.py",),
    ),
    Mutant(
        "newcomers see what was sent before their time",
        "appservice/store/videos.py",
        "return [video for video in videos if video.id not in withheld]",
        "return [video for video in videos if video.id not in withheld or strict]",
        ("tests/integration/test_history_visibility.py",),
    ),
    Mutant(
        "whom a policy list bans goes on watching",
        "appservice/store/queries/members.sql",
        "r.key = :room_key AND m.key = :member_key AND m.membership = 'join' AND r.bot_membership = 'join'\n"
        "    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);",
        "r.key = :room_key AND m.key = :member_key AND m.membership = 'join' AND r.bot_membership = 'join'\n"
        "    AND m.changed_at >= r.bot_joined_at;",
        (f"{_STORE}::test_whom_a_policy_list_bans_may_look_no_longer",),
    ),
    Mutant(
        "one sender takes all slots",
        "appservice/core/rules/fairness.py",
        "            and self._senders[party.sender] < max(1, left / 2)\n",
        "",
        ("tests/unit/core/rules/test_fairness.py",),
    ),
    Mutant(
        "what fails each time is tried again",
        "appservice/core/rules/retries.py",
        "if tries >= most or cause is Cause.PERMANENT:",
        "if tries >= most:",
        ("tests/unit/core/rules/test_retries.py",),
    ),
    Mutant(
        "what follows from being ready is lost with its worker",
        _ATTEMPTS,
        "finishing = CASE WHEN :state = 'ready' THEN 0 END,",
        "finishing = NULL,",
        (f"{_STORE}::test_what_follows_from_being_ready_is_found_and_started_a_few_times",),
    ),
    Mutant(
        "two processes revise a channel at once",
        "appservice/store/queries/channel.sql",
        "SELECT starts_at, items, before FROM channels WHERE room_id = :room_id FOR UPDATE;",
        "SELECT starts_at, items, before FROM channels WHERE :room_id = room_id;",
        ("tests/contract/test_channel.py",),
    ),
    Mutant(
        "ffmpeg reaches the network",
        "transcode/process/sandbox.py",
        '"--unshare-all", ',
        '"--unshare-user", "--unshare-ipc", "--unshare-pid", ',
        ("tests/integration/transcode/test_sandbox.py",),
    ),
    Mutant(
        "deltas are made for the first one's rights",
        "appservice/web/room_cache.py",
        "return self._rights.setdefault(rights, rights)",
        "return next(iter(self._rights.values()), self._rights.setdefault(rights, rights))",
        ("tests/contract/test_room_pages.py",),
    ),
    Mutant(
        "requests are not counted",
        "appservice/web/limits.py",
        "        if result.limited:\n",
        "        if result.limited is None:\n",
        ("tests/contract/test_limits.py",),
    ),
    Mutant(
        "keys of media are for all members of all rooms",
        "appservice/web/media.py",
        "    context, video_id, _ = await open_video(request)\n    key = ",
        '    (context, *_), video_id = await _open(request), VideoId(request.match_info["id"])\n    key = ',
        ("tests/contract/test_encrypted_media.py",),
    ),
)
