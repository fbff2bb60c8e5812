"""The statements about large content, which is in rows of a mebibyte."""

ADD_SPOOL = "INSERT INTO spool (content_id, node, epoch) VALUES ($1, $2, $3)"
ADD_CHUNK = "INSERT INTO chunk (content_id, part, body) VALUES ($1, $2, $3)"
CHUNK = "SELECT body FROM chunk WHERE content_id = $1 AND part = $2"
BEGINNING = "SELECT substr(body, 1, $3) FROM chunk WHERE content_id = $1 AND part = $2"
COPY_CHUNKS = """
    INSERT INTO chunk (content_id, part, body)
    SELECT $2, part, body FROM chunk WHERE content_id = $1 RETURNING part
"""
FORGET_SPOOL = "DELETE FROM spool WHERE content_id = $1"
# Content without a message: not that of held mail.
DISCARD = """
    WITH gone AS (DELETE FROM spool WHERE content_id = $1 RETURNING content_id)
    DELETE FROM chunk WHERE content_id IN (SELECT content_id FROM gone)
"""
# Content that was being written by processes that ended.
ORPHANS = """
    SELECT content_id FROM spool WHERE NOT EXISTS (
        SELECT 1 FROM node WHERE node.id = spool.node AND node.epoch = spool.epoch
            AND node.expires_at > clock_timestamp()
    )
    LIMIT $1
"""
