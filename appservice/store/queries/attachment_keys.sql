-- The keys of attachments that were stored before the installation had a key.

-- name: unsealed_attachments
-- Hexadecimal digits of a key that is not sealed: AES-256. `replaced_file`: of what an edit replaced.
SELECT id, encrypted_file, nullif(replaced -> 'encrypted_file', 'null') AS replaced_file FROM videos
WHERE length(encrypted_file ->> 'key') = 64 OR length(replaced -> 'encrypted_file' ->> 'key') = 64
ORDER BY id LIMIT :most FOR UPDATE;

-- name: seal_attachments
UPDATE videos SET encrypted_file = :encrypted_file,
    replaced = CASE WHEN :replaced_file::jsonb IS NULL THEN replaced
        ELSE jsonb_set(replaced, '{encrypted_file}', :replaced_file::jsonb) END
WHERE id = :id;
