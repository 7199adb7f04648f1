-- Many videos, distributed over rooms, senders, kinds and states as those of chats are.

-- name: rooms
-- `first` is the number of a room's first member among those of all rooms.
CREATE TEMPORARY TABLE many_rooms AS
SELECT n, size, sum(size) OVER (ORDER BY n) - size AS first, n % 7 = 3 AS encrypted,
    '!' || substr(translate(encode(sha256(('room' || n)::bytea), 'base64'), '+/=', 'aZ0'), 1, 18) || ':example.org' AS room_id
FROM (
    SELECT n, (2 + 300 * random() ^ 6)::integer AS size FROM generate_series(0, :rooms::integer - 1) AS n
) AS sized;

-- name: insert_rooms
INSERT INTO rooms (
    room_id, name, bot_membership, inviter, power_levels, creators, encrypted, widget_placed, widget_id, history,
    bot_joined_at, state_read_at, opted_in_by, opted_in_at, encryption, last_event, settings
)
SELECT room_id, 'Room ' || n, CASE WHEN n % 50 = 49 THEN 'leave' ELSE 'join' END, '@founder' || n || ':example.org',
    '{"users": {"@founder:example.org": 100}, "users_default": 0, "events": {"m.room.name": 50}}',
    ARRAY['@founder' || n || ':example.org'], encrypted, true, md5(n::text),
    CASE WHEN n % 9 = 5 THEN 'joined' ELSE 'shared' END, now() - interval '2 years', now() - interval '1 year',
    CASE WHEN encrypted THEN '@founder' || n || ':example.org' END,
    CASE WHEN encrypted THEN now() - interval '2 years' END,
    CASE WHEN encrypted THEN '{"rotation_period_msgs": 100}'::jsonb END, '$' || md5('last' || n),
    CASE WHEN n % 40 = 1 THEN '{"moderators_room": "!queue:example.org"}' ELSE '{}' END::jsonb
FROM many_rooms;

-- name: members
CREATE TEMPORARY TABLE many_members AS
SELECT r.first + i AS slot, r.room_id,
    '@' || (ARRAY['anna', 'ben.miller', 'chloe', 'dmitri', 'e', 'fatima_al', 'grace.hopper'])[1 + user_n % 7] || user_n
        || ':' || CASE WHEN user_n % 5 = 0 THEN 'server' || user_n % 50 || '.org' ELSE 'example.org' END AS user_id
FROM (
    SELECT *, (hashint8extended(first + i, 1) & 2147483647) % :users::bigint AS user_n
    FROM many_rooms, generate_series(0, size - 1) AS i
) AS r;

-- name: insert_members
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc)
SELECT room_id, user_id, CASE WHEN slot % 12 = 11 THEN 'leave' ELSE 'join' END, 'Name ' || slot,
    'mxc://example.org/' || substr(md5(slot::text), 1, 24)
FROM many_members ON CONFLICT DO NOTHING;

-- name: index_members
CREATE INDEX ON many_members (slot);

-- name: index_rooms
CREATE INDEX ON many_rooms (n);

-- name: media
CREATE TEMPORARY TABLE many_media (
    n integer PRIMARY KEY, duration float8, width integer, height integer, renditions text, bytes bigint
);

-- name: batch
-- What each video is, by chance, before it is joined with anything. Busy rooms and members come first.
CREATE TEMPORARY TABLE many_batch AS
WITH chosen AS MATERIALIZED (
    SELECT g, gen_random_uuid() AS id, (:rooms::integer * random() ^ 2)::integer % :rooms::integer AS room_n,
        random() ^ 2 AS member, random() AS of_state, random() AS of_visibility, random() AS of_kind, random() AS of_title,
        (random() * 1e9)::integer % :media::integer AS media_n
    FROM generate_series(:first::bigint, :last::bigint) AS g
), known AS (
    SELECT c.*, r.room_id, r.encrypted, m.user_id AS sender,
        '$' || translate(rtrim(encode(sha256(('event' || g)::bytea), 'base64'), '='), '+/', '-_') AS event_id,
        'mxc://example.org/' || substr(translate(encode(sha256(('mxc' || g)::bytea), 'base64'), '+/=', 'aZ0'), 1, 24) AS mxc,
        -- In two years.
        (extract(epoch FROM now()) * 1000)::bigint - (:videos::bigint - g) * (63072000000 / :videos::bigint) AS sent_at,
        CASE WHEN of_state < 0.983 THEN 'ready' WHEN of_state < 0.9995 THEN 'failed' WHEN of_state < 0.9998 THEN 'queued'
            ELSE 'processing' END AS state,
        CASE WHEN of_visibility < 0.95 THEN 'shown' WHEN of_visibility < 0.97 THEN 'hidden'
            WHEN of_visibility < 0.971 THEN 'held' ELSE 'removed' END AS visibility,
        CASE WHEN of_kind < 0.9 THEN 'video' WHEN of_kind < 0.97 THEN 'image' ELSE 'voice' END AS kind
    FROM chosen c
        JOIN many_rooms r ON r.n = c.room_n
        JOIN many_members m ON m.slot = r.first + floor(r.size * c.member)::bigint
)
SELECT *, to_timestamp(sent_at / 1000.0) AS sent, visibility = 'removed' AS gone,
    state = 'ready' AND visibility <> 'removed' AS served,
    CASE WHEN state = 'ready' AND visibility <> 'removed' THEN '1-' || substr(md5(g::text), 1, 8) || '-ready' END AS stage
FROM known ORDER BY g;

-- name: insert_videos
-- In the order in which they came; a tenth of the files came before.
INSERT INTO videos (
    id, event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, state, visibility, failure,
    attempts, position, stage, stage_encrypted, has_poster, has_preview, duration, width, height, renditions, blurhash,
    sent_at, kind, bytes, content_hash, source_hash, fingerprint, sealed_content, held_for, history, received_at, arrived_at,
    admitted_at, changed_at, nonce, edited_at, edits, published_at
)
SELECT b.id, event_id, room_id, room_id, sender,
    CASE WHEN gone THEN '' WHEN of_title < 0.6 THEN 'VID-' || to_char(sent, 'YYYYMMDD') || '-WA' || lpad((g % 100)::text, 4, '0') || '.mp4'
        WHEN of_title < 0.85 THEN 'PXL_' || to_char(sent, 'YYYYMMDD_HH24MISSMS') || '.mp4'
        ELSE repeat('look at this one ', 1 + (of_title * 1000)::integer % 4) END,
    CASE WHEN gone THEN '' ELSE mxc END,
    CASE WHEN encrypted AND NOT gone THEN jsonb_build_object(
        'key', substr(repeat(md5(g::text), 4), 1, 122), 'iv', md5('iv' || g), 'sha256', encode(sha256(g::text::bytea), 'hex')
    ) END,
    CASE WHEN NOT gone THEN m.bytes END, true, state, visibility, CASE WHEN state = 'failed' THEN 'broken-file' END,
    1, sent_at, stage, encrypted AND served, served, served, CASE WHEN served THEN m.duration END,
    CASE WHEN served THEN m.width END, CASE WHEN served THEN m.height END,
    CASE WHEN served THEN m.renditions ELSE '[]' END::jsonb,
    CASE WHEN served THEN substr(encode(sha256(('blur' || g)::bytea), 'base64'), 1, 28) END,
    sent_at, kind, CASE WHEN served THEN m.bytes ELSE 0 END,
    CASE WHEN served AND NOT encrypted THEN substr(sha256(('content' || g % (:videos::bigint * 9 / 10))::bytea), 1, 8) END,
    CASE WHEN served AND NOT encrypted THEN sha256(('source' || g % (:videos::bigint * 9 / 10))::bytea) END,
    CASE WHEN served AND NOT encrypted AND kind = 'video' THEN substr(noise, 1, 149) END,
    CASE WHEN served AND encrypted THEN substr(noise, 1, CASE WHEN kind = 'video' THEN 210 ELSE 61 END) END,
    CASE WHEN visibility = 'held' THEN 'approval' END, CASE WHEN of_kind > 0.1 THEN 'shared' ELSE 'joined' END,
    sent, sent, CASE WHEN state IN ('ready', 'failed') THEN sent ELSE 'infinity' END, sent,
    CASE WHEN g % 12 = 0 AND NOT gone THEN md5(g::text) END, CASE WHEN g % 50 = 0 THEN sent_at + 1000 END,
    CASE WHEN g % 50 = 0 AND NOT gone THEN jsonb_build_array(jsonb_build_object('event_id', '$' || md5('edit' || g), 'mxc', ''))
        ELSE '[]' END,
    CASE WHEN served AND g % 100 = 0 AND visibility = 'shown' AND NOT encrypted THEN sent END
FROM many_batch b
    JOIN many_media m ON m.n = b.media_n
    CROSS JOIN LATERAL (
        SELECT sha512(g::text::bytea) || sha512(sent::text::bytea) || sha512(b.id::text::bytea) || sha512(event_id::bytea) AS noise
    ) AS noise
ORDER BY g;

-- name: playable_marks
INSERT INTO statuses (video_id, kind, event_id)
SELECT id, 'playable', '$' || translate(rtrim(encode(sha256(('mark' || g)::bytea), 'base64'), '='), '+/', '-_')
FROM many_batch WHERE state = 'ready' AND visibility = 'shown' AND g % 20 <> 19;

-- name: redacted_marks
INSERT INTO statuses (video_id, kind, event_id, times)
SELECT id, 'working', '', 1 FROM many_batch WHERE served AND visibility = 'shown' AND sent > now() - interval '2 days';

-- name: notices
INSERT INTO statuses (video_id, kind, event_id, says)
SELECT id, 'notice', '$' || translate(rtrim(encode(sha256(('notice' || g)::bytea), 'base64'), '='), '+/', '-_'), 'broken-file'
FROM many_batch WHERE state = 'failed';

-- name: media_keys
INSERT INTO media_keys (video_id, stage, sealed)
SELECT id, stage, substr(sha512(g::text::bytea), 1, 61) FROM many_batch WHERE encrypted AND served;

-- name: doubles
INSERT INTO doubles (event_id, video_id)
SELECT '$' || translate(rtrim(encode(sha256(('double' || g)::bytea), 'base64'), '='), '+/', '-_'), id FROM many_batch
WHERE g % :seldom::integer = 1 AND NOT gone;

-- name: reports
INSERT INTO reports (video_id, reporter, reason)
SELECT id, '@reporter' || g % 1000 || ':example.org', 'It is not from this room.' FROM many_batch
WHERE g % :rarely::integer = 1 AND NOT gone;

-- name: audit
INSERT INTO audit (at, actor, action, room_id, video_id, user_id)
SELECT sent, sender, CASE WHEN gone THEN 'deleted' ELSE 'renamed' END, room_id, id, sender
FROM many_batch WHERE gone OR g % 40 = 0;

-- name: upload_media
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of, sent_at)
SELECT CASE WHEN is_poster THEN substr(mxc, 1, 35) || 'thumb' || right(mxc, 2) ELSE mxc END, id, sender, room_id, 1000000,
    CASE WHEN is_poster THEN mxc END, now()
FROM many_batch, unnest(ARRAY[false, true]) AS is_poster WHERE g % 12 = 0 AND NOT gone;

-- name: sent_for
INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, video_id, target, event_id)
SELECT room_id, sender, md5('comment' || g), sha256(g::text::bytea), 'comment', id, event_id,
    '$' || translate(rtrim(encode(sha256(('comment' || g)::bytea), 'base64'), '='), '+/', '-_')
FROM many_batch WHERE g % :seldom::integer = 2 AND NOT encrypted AND NOT gone;

-- name: jobs
INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)
SELECT 0, 'queued', 'video', convert_to(id::text, 'UTF8'), now() + interval '1 hour' FROM many_batch
WHERE state IN ('queued', 'processing') AND NOT gone;

-- name: queue_posts
INSERT INTO queue_posts (event_id, room_id, video_id)
SELECT '$' || md5('post' || g), '!queue:example.org', id FROM many_batch WHERE visibility = 'held';

-- name: drop_batch
DROP TABLE many_batch;

-- name: seen_events
-- What the service deletes after some days: as many as there are of the newest.
INSERT INTO seen_events (event_id, seen_at)
SELECT '$' || translate(rtrim(encode(sha256(('seen' || g)::bytea), 'base64'), '='), '+/', '-_'), now() - interval '8 days' * random()
FROM generate_series(1, :videos::bigint / 40) AS g;

-- name: job_log
INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)
SELECT now() - interval '7 days' * random(), g, 'successful', 0, 'video' FROM generate_series(1, :videos::bigint / 20) AS g;

-- name: job_statistics
INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)
SELECT now() - interval '1 s' * g, 1, 0, 'successful', 'video' FROM generate_series(1, :videos::bigint / 100) AS g;

-- name: commands
INSERT INTO commands (event_id, room_id, sender, body, thread, done_at)
SELECT '$' || md5('command' || g), r.room_id, '', '', '', now() FROM generate_series(1, :videos::bigint / 500) AS g
    JOIN many_rooms r ON r.n = g % (SELECT count(*) FROM many_rooms);

-- name: some_people
-- Of whom there is more than videos.
CREATE TEMPORARY TABLE many_people AS
SELECT * FROM (SELECT DISTINCT ON (user_id) * FROM many_members ORDER BY user_id, slot) AS m WHERE slot % 5 = 0;

-- name: of_people
WITH people AS (INSERT INTO people (user_id, settings) SELECT user_id, '{"language": "en"}' FROM many_people),
    sign_ins AS (
        INSERT INTO sign_ins (room_id, secret_hash, browser, user_id, event_id, expires_at)
        SELECT room_id, sha256(slot::text::bytea), 'Firefox', user_id, '$' || md5('sign-in' || slot), now() + interval '9 days'
        FROM many_people
    ), misses AS (
        INSERT INTO sign_in_misses (event_id, user_id) SELECT '$' || md5('miss' || slot), user_id FROM many_people
    ), exports AS (
        INSERT INTO exports (user_id, secret_hash, expires_at)
        SELECT user_id, sha256(slot::text::bytea), now() + interval '1 day' FROM many_people
    ), quarantined AS (
        INSERT INTO quarantined_users (user_id, quarantined_by) SELECT user_id, '@admin:example.org' FROM many_people
    ), warnings AS (INSERT INTO quota_warnings (scope, whose) SELECT 'user', user_id FROM many_people),
    refusals AS (INSERT INTO refusals (room_id, user_id) SELECT room_id, user_id FROM many_people),
    erasures AS (INSERT INTO key_erasures (user_id) SELECT user_id FROM many_people),
    bundles AS (
        INSERT INTO key_bundles (room_id, sender, sealed) SELECT room_id, user_id, sha512(slot::text::bytea) FROM many_people
    ), watching AS (
        INSERT INTO watching (room_id, user_id, until) SELECT room_id, user_id, now() + interval '1 minute' FROM many_people
    ), places AS (INSERT INTO places (room_id, user_id, place) SELECT room_id, user_id, '{"video": 1}' FROM many_people),
    blocks AS (
        INSERT INTO blocks (room_id, source_hash, fingerprint, blocked_by)
        SELECT room_id, sha256(slot::text::bytea), sha512(slot::text::bytea), user_id FROM many_people
    ), uploads AS (
        INSERT INTO uploads (room_id, owner, filename, metadata, state, content)
        SELECT room_id, user_id, 'a.webm', '', 'ready', jsonb_build_object('url', 'mxc://example.org/' || slot) FROM many_people
    ), encrypted AS (
        INSERT INTO encrypted_events (event_id, room_id, sender, session_id, event, tried_at)
        SELECT '$' || md5('encrypted' || slot), room_id, user_id, md5(slot::text), '{}', now() FROM many_people
    )
INSERT INTO outgoing_events (room_id, txn_id, kind, event_id)
SELECT room_id, md5(slot::text), 'm.room.message', '$' || md5('outgoing' || slot) FROM many_people;

-- name: channels
INSERT INTO channels (room_id, items) SELECT room_id, '[]' FROM many_rooms;

-- name: room_revisions
INSERT INTO room_revisions (room_id, revision) SELECT room_id, 200 << 20 FROM many_rooms;

-- name: room_changes
-- As many as are kept of each room.
INSERT INTO room_changes (room_id, revision, video_id, user_id, fields, was_shown, was_known, is_first)
SELECT v.room_id, 201 - v.n << 20, v.id, v.sender, '{all}', true, true, false
FROM (SELECT id, room_id, sender, row_number() OVER (PARTITION BY room_id ORDER BY sent_at DESC) AS n FROM videos) AS v
WHERE v.n <= 72;

-- name: policy_list
INSERT INTO policy_lists (room_id, added_by) VALUES ('!list:example.org', '@admin:example.org');

-- name: policy_rules
INSERT INTO policy_rules (room_id, event_type, state_key, subject, entity)
SELECT '!list:example.org', 'm.policy.rule.user', n::text, 'user', '@spammer' || n || ':example.com'
FROM generate_series(1, 3000) AS n;

-- name: totals
-- As the triggers do, which are off meanwhile.
INSERT INTO ready_totals SELECT count(*), sum(bytes) FROM videos WHERE state = 'ready' AND visibility <> 'removed';
