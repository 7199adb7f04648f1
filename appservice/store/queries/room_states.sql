-- What lists of a room's videos are made of, and what changed in it, by number.

-- name: room_revision
-- The number of a room's newest change; 0 before the first.
SELECT coalesce((SELECT revision FROM room_revisions WHERE room_id = :room_id), 0) AS revision;

-- name: room_changes
-- Those of a revision, and since.
SELECT revision, video_id, user_id, fields, was_shown, was_known, was_strict
FROM room_changes WHERE room_id = :room_id AND revision >= :first ORDER BY revision;

-- name: listed_videos
-- As `room_videos`, without what only a video's own page shows: a room may have very many.
SELECT id, event_id, room_id, sent_in, sender, sent_at, position, item, kind, state, visibility, failure, version, published_at, spoiler,
    held_for, hidden_by, awaited_since, stage, has_preview, available, history, received_at, sent_after, of_before,
    renditions <> '[]' AS has_renditions
FROM videos WHERE room_id = :room_id AND visibility <> 'removed' ORDER BY position, sent_at, id;

-- name: videos_by_id
-- Of one room.
SELECT * FROM videos WHERE id = ANY (:ids::uuid[]) AND room_id = :room_id AND visibility <> 'removed';

-- name: reports_of
SELECT video_id, count(*) AS reports FROM reports WHERE video_id = ANY (:ids::uuid[]) GROUP BY video_id;

-- name: permitted
-- Who of these is in a room, as `member_key` says of one.
SELECT m.user_id
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = :room_id AND m.user_id = ANY (:user_ids) AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: present_members
-- As `joined_members`; of whom it is not known when they came, nothing is for them that not every member may see.
SELECT key, user_id, display_name, avatar_mxc, avatar_video,
    CASE WHEN join_heard THEN coalesce(ceil(extract(epoch FROM joined_at) * 1000)::bigint, 0) ELSE 9007199254740991 END AS joined_at
FROM members WHERE room_id = :room_id AND membership = 'join';

-- name: withheld_from
-- As `withheld`, of several people; not from their sender.
SELECT u.user_id, v.id
FROM videos v CROSS JOIN unnest(:user_ids::text[]) AS u (user_id)
WHERE v.id = ANY (:ids::uuid[]) AND v.sender <> u.user_id
    AND NOT was_there(v.sent_in, u.user_id, v.history, coalesce(v.sent_after, v.received_at), v.received_at);
