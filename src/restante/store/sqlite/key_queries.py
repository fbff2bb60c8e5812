"""Statements about the keys of sealed content. Primary keys find all of them.

There are two tables, so that no damaged page can take the mail of a domain with it. Triggers keep
the second one like the first.
"""

_OF_ONES = "domain_id IN (SELECT value FROM json_each(?))"
OF_DOMAINS = f"""
    SELECT domain_id, sealed FROM data_key WHERE {_OF_ONES}
    UNION ALL SELECT domain_id, sealed FROM data_key_copy WHERE {_OF_ONES}
"""  # noqa: S608  constants
NEXT = """
    SELECT domain_id FROM data_key WHERE domain_id > :after
    UNION SELECT domain_id FROM data_key_copy WHERE domain_id > :after
    ORDER BY domain_id LIMIT :limit
"""
KEEP = """
    INSERT OR IGNORE INTO data_key (domain_id, sealed)
    SELECT :domain_id, :sealed WHERE EXISTS (SELECT 1 FROM domain WHERE id = :domain_id)
"""
REPLACE = "UPDATE data_key SET sealed = :new WHERE domain_id = :domain_id AND sealed = :old"
# The octets are overwritten where they are: a removed row alone leaves them in its page.
ERASE = "UPDATE data_key SET sealed = zeroblob(length(sealed)) WHERE domain_id = ?"
REMOVE = "DELETE FROM data_key WHERE domain_id = ?"
# After a salvage, which reads each table as far as it can.
MEND = (
    "INSERT OR IGNORE INTO data_key (domain_id, sealed) SELECT domain_id, sealed FROM data_key_copy"
)
