-- What members show to everybody.

-- name: published_revision
-- What changes with each change of what `published` returns: the versions of its rows. NULL where that is nothing.
SELECT md5(string_agg(concat_ws(':', v.id, v.xmin, m.room_id, m.xmin), ',' ORDER BY v.position, v.sent_at, v.id))
    AS revision
FROM videos v
    JOIN rooms r ON r.room_id = v.room_id AND r.bot_membership = 'join'
    JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.sender = :user_id AND v.published_at IS NOT NULL AND v.visibility = 'shown'
    AND NOT v.stage_encrypted AND NOT r.encrypted
    AND (v.state = 'ready' OR v.state = 'playable' AND v.available IS NULL);

-- name: published
-- What a member shows to everybody (or, if it is not NULL, one video of that), in reel order: of the rooms where both
-- they and the bot are. With each, as whom they are known there.
SELECT v.*, m.display_name AS member_name, m.avatar_mxc AS member_avatar, m.changed_at AS member_changed_at
FROM videos v
    JOIN rooms r ON r.room_id = v.room_id AND r.bot_membership = 'join'
    JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.sender = :user_id AND (:video_id::uuid IS NULL OR v.id = :video_id)
    AND v.published_at IS NOT NULL AND v.visibility = 'shown'
    -- Whatever was chosen before its room was encrypted.
    AND NOT v.stage_encrypted AND NOT r.encrypted
    -- Who comes here did not choose to see it.
    AND NOT v.spoiler
    -- One in progress comes when it is whole.
    AND (v.state = 'ready' OR v.state = 'playable' AND v.available IS NULL)
ORDER BY v.position, v.sent_at, v.id;
