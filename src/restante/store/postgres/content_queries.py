"""The statements about large content in rows of a mebibyte."""

ADD_SPOOL = "INSERT INTO spool (content_id, node, epoch) VALUES ($1, $2, $3)"
# Only while the content is not given up by others, who remove its row of `spool` first.
ADD_CHUNK = """
    WITH spooled AS MATERIALIZED (
        SELECT content_id FROM spool WHERE content_id = $1::bigint FOR KEY SHARE
    )
    INSERT INTO chunk (content_id, part, body)
    SELECT content_id, $2::integer, $3::bytea FROM spooled RETURNING part
"""
CHUNK = "SELECT body FROM chunk WHERE content_id = $1 AND part = $2"
BEGINNING = "SELECT substr(body, 1, $3) FROM chunk WHERE content_id = $1 AND part = $2"
COPY_CHUNK = """
    INSERT INTO chunk (content_id, part, body)
    SELECT $2, part, body FROM chunk WHERE content_id = $1 AND part = $3 RETURNING part
"""
# A statement before DISCARD: it waits for a chunk on its way, so that DISCARD sees that chunk.
LOCK_SPOOL = "SELECT content_id FROM spool WHERE content_id = $1 FOR UPDATE"
# Content without a message: not that of held mail. Its object is removed later, as all are.
DISCARD = """
    WITH gone AS (DELETE FROM spool WHERE content_id = $1 RETURNING content_id), doomed AS (
        UPDATE content_object SET doomed_at = clock_timestamp()
        WHERE content_id IN (SELECT content_id FROM gone)
    )
    DELETE FROM chunk WHERE content_id IN (SELECT content_id FROM gone)
"""
# Content that was being written by processes that ended: their lease is over for an hour, or they
# gave it back, or lost their slot. $1 and $2 are the node, whose own content is none of it.
ORPHANS = """
    SELECT content_id FROM spool WHERE (node, epoch) <> ($1::smallint, $2::bigint) AND NOT EXISTS (
        SELECT 1 FROM node WHERE node.id = spool.node AND node.epoch = spool.epoch
            AND node.expires_at > clock_timestamp() - interval '1 hour'
    )
    ORDER BY content_id LIMIT $3
"""
