"""Statements about the keys of sealed content. Primary keys find all of them."""

from typing import Final

OPENS_SEALED: Final = 13  # the first version of the schema whose programs do
OF_DOMAINS: Final = "SELECT domain_id, sealed FROM data_key WHERE domain_id = ANY($1::integer[])"
NEXT: Final = """
    SELECT domain_id, sealed FROM data_key WHERE domain_id > $1 ORDER BY domain_id LIMIT $2
"""
KEEP: Final = """
    INSERT INTO data_key (domain_id, sealed)
    SELECT new.domain_id, new.sealed
    FROM unnest($1::integer[], $2::bytea[]) AS new (domain_id, sealed)
    WHERE new.domain_id IN (
        SELECT id FROM domain WHERE id = ANY($1::integer[]) ORDER BY id FOR KEY SHARE
    )
    ON CONFLICT (domain_id) DO NOTHING
"""
REPLACE: Final = """
    UPDATE data_key SET sealed = $3 WHERE domain_id = $1 AND sealed = $2 RETURNING 1
"""
OLDEST: Final = "SELECT oldest FROM restante_schema FOR UPDATE"
OTHERS: Final = """
    SELECT DISTINCT name || ' (' || version || ')' FROM node
    WHERE expires_at > now() AND version <> (SELECT version FROM node WHERE id = $1) ORDER BY 1
"""
REMOVE: Final = "DELETE FROM data_key WHERE domain_id = $1"
