"""The statements about content in an object store. A row of content_object has its name there.

A row is made before its object, so an object without a row belongs to nobody. It is marked as
doomed when its message goes. It is removed only when its object was removed.

An object that belongs to nobody gets a row of its own, whose number is below zero. This row is
doomed from the time at which it was first seen. If a restore of the database is undone, these rows
go with it.
"""

ADD_OBJECT = "INSERT INTO content_object (content_id, name) VALUES ($1, $2)"
# As ADD_OBJECT; a move that is run again uses the same name, for the same octets.
ADD_OBJECT_ONCE = """
    INSERT INTO content_object (content_id, name) VALUES ($1, $2)
    ON CONFLICT (content_id) DO UPDATE SET name = content_object.name RETURNING name
"""
NAME = "SELECT name FROM content_object WHERE content_id = $1"
HAS_OBJECTS = "SELECT EXISTS (SELECT 1 FROM content_object WHERE content_id >= 0)"

DOOMED = """
    SELECT content_id, name FROM content_object
    WHERE doomed_at IS NOT NULL AND content_id >= 0 AND content_id <> ALL($2::bigint[])
    ORDER BY doomed_at LIMIT $1
"""
ADD_STRAYS = """
    INSERT INTO content_object (content_id, name, doomed_at)
    SELECT content_id, name, clock_timestamp()
    FROM unnest($1::bigint[], $2::text[]) AS listed (content_id, name)
    ON CONFLICT DO NOTHING
"""
# Those that were first seen so many seconds ago.
STRAYS = """
    SELECT content_id, name FROM content_object
    WHERE content_id < 0 AND doomed_at <= now() - make_interval(secs => $3)
        AND content_id <> ALL($2::bigint[])
    ORDER BY content_id LIMIT $1
"""
FORGET = """
    DELETE FROM content_object WHERE content_id = ANY($1::bigint[]) AND doomed_at IS NOT NULL
"""

# A move that is given up.
SOME = "SELECT content_id, name FROM content_object ORDER BY content_id LIMIT $1"
CLEAR = "DELETE FROM content_object WHERE content_id = ANY($1::bigint[])"

# The bucket has the same mark, so that no other store's bucket is taken for this one's.
ADD_MARK = "INSERT INTO object_mark (place, mark) VALUES (1, $1) ON CONFLICT DO NOTHING"
MARK = "SELECT mark FROM object_mark"
FORGET_MARK = "DELETE FROM object_mark"
# A program that does not know these tables can read no content in them.
EXCLUDE_OLDER = "UPDATE restante_schema SET oldest = greatest(oldest, $1)"
