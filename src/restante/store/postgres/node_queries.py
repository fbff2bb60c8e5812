"""The statements about the processes that have the store open."""

# $3 is how long ago the lease must have ended, unless it was given back. Just after the database
# was away, the leases of all processes have ended, and these live.
TAKE_OVER_SLOT = """
    UPDATE node SET epoch = epoch + 1, name = $2, version = $4, beaten_at = clock_timestamp(),
        is_retiring = FALSE,
        expires_at = clock_timestamp() + make_interval(secs => $1)
    WHERE id = (
        SELECT id FROM node WHERE expires_at < clock_timestamp() - make_interval(secs => $3)
        ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AND expires_at < clock_timestamp() - make_interval(secs => $3)
    RETURNING id, epoch
"""
# Of a process that has surely ended (`slot_file`). In a database that was restored, another process
# can have the same slot and epoch: not under the same name.
TAKE_SLOT_AGAIN = """
    UPDATE node SET epoch = epoch + 1, name = $2, version = $3, beaten_at = clock_timestamp(),
        is_retiring = FALSE,
        expires_at = clock_timestamp() + make_interval(secs => $1)
    WHERE id = $4 AND epoch = $5 AND name = $2 RETURNING id, epoch
"""
ADD_SLOT = """
    INSERT INTO node (id, epoch, expires_at, name, version, beaten_at, is_retiring)
    SELECT slot, 1, clock_timestamp() + make_interval(secs => $1), $2, $3, clock_timestamp(), FALSE
    FROM generate_series(1, 255) AS slot
    WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.id = slot) ORDER BY slot LIMIT 1
    RETURNING id, epoch
"""
BEAT = """
    UPDATE node SET
        expires_at = clock_timestamp() + make_interval(secs => $3), beaten_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2
    RETURNING is_retiring, extract(epoch FROM clock_timestamp())::float8
"""
NODES = """
    SELECT id, name, version,
        extract(epoch FROM clock_timestamp() - beaten_at)::float8,
        greatest(0, extract(epoch FROM expires_at - clock_timestamp()))::float8,
        is_retiring,
        (
            SELECT count(*) FROM drain
            WHERE is_open AND owner = node.id AND owner_epoch = node.epoch
        ),
        ARRAY(
            SELECT duty.name FROM duty
            WHERE owner = node.id AND owner_epoch = node.epoch ORDER BY duty.name
        )
    FROM node WHERE name <> '' AND expires_at > '-infinity' ORDER BY name, id
"""
ASK_TO_RETIRE = """
    UPDATE node SET is_retiring = TRUE
    WHERE name = $1 AND expires_at > clock_timestamp() RETURNING id
"""
# The next epoch fences it. Its slot is given to another one when its process has surely ended.
REMOVE = """
    UPDATE node SET epoch = epoch + 1, name = '' WHERE name = $1
        AND expires_at <= clock_timestamp() AND expires_at > '-infinity'
    RETURNING id
"""
RETIRE = """
    UPDATE node SET expires_at = '-infinity' WHERE id = $1 AND epoch = $2 RETURNING id
"""
# Writes the row as it is, if it is still this process's.
TOUCH = "UPDATE node SET name = name WHERE id = $1 AND epoch = $2 RETURNING id"
MARK_CHANGE = "INSERT INTO made_change (node, number) VALUES ($1, $2)"
MARK_UNLESS_MADE = f"{MARK_CHANGE} ON CONFLICT DO NOTHING RETURNING 1"
FORGET_MARKS = "DELETE FROM made_change WHERE node = $1 AND number < $2"
# Rows of pg_stat_replication have no sync_state where the role may not see it.
COMMIT_FACTS = """
    SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
        current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
        current_setting('max_wal_senders')::integer,
        ARRAY(SELECT coalesce(sync_state, '') FROM pg_stat_replication)
"""
LIVING = "SELECT id, epoch FROM node WHERE id <> $1 AND expires_at > clock_timestamp()"
TELL = "INSERT INTO bulletin (node, epoch, number, domain_ids) VALUES ($1, $2, $3, $4)"
# Those of processes that had the slot before, too.
FORGET_BULLETINS = """
    DELETE FROM bulletin WHERE node = $1 AND (epoch < $2 OR epoch = $2 AND number < $3)
"""
BULLETINS = """
    SELECT bulletin.node, bulletin.epoch, bulletin.number, domain_ids
    FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS known (node, epoch, number)
    JOIN bulletin ON bulletin.node = known.node AND bulletin.epoch = known.epoch
        AND bulletin.number > known.number
    ORDER BY bulletin.node, bulletin.epoch, bulletin.number
"""
# The highest number that the store knows, of messages, their history, and releases.
LAST_NUMBER = """
    SELECT greatest(
        0, (SELECT max(number) FROM message), (SELECT max(number) FROM history),
        (SELECT max(id) FROM release)
    )
"""
LAST_CONTENT = """
    SELECT greatest(
        (SELECT max(content_id) FROM chunk), (SELECT max(content_id) FROM content_object), 0
    )
"""
