"""The version of the tables, and the steps from older versions to this program's.

Servers of two versions work on one database while an operator restarts them in turn. So a step only
adds, and keeps what the former version reads and writes. A later step, in a later version, removes
what nobody uses any more. `oldest` says who can still work with the tables.

An index of all mail can take minutes. So it is built first and outside of the transaction, and no
server waits for it. An interrupted build leaves an index that is not valid. The next run replaces
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from restante import __version__
from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.postgres_schema import VERSION
from restante.store.store_care import PlannedStep, UpgradePlan
from restante.store.store_errors import StoreMismatched, StoreUnusable
from restante.store.stored_form.newer_program import newer_program

_BUILD_PATIENCE: Final = 86_400.0  # seconds for an index


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """From one version to the next."""

    statements: str  # "": only its indexes are new
    oldest: int  # the oldest version that a program may know
    indexes: Mapping[str, str] = field(default_factory=dict)  # by name; of columns known before
    text: str = ""  # its effect, in a line


_ATTEMPTS: Final = """
ALTER TABLE last_reply ADD COLUMN tried_at float8 NOT NULL DEFAULT 0,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0
"""
_WORDS_OF_FACTORS: Final = """
UPDATE portal_session SET factors = CASE
    WHEN factors LIKE 'provider %' THEN 'provider'
    ELSE replace(replace(replace(
        factors, ' and ', ' '), 'one-time code', 'one-time-code'), 'recovery code', 'recovery-code')
END
"""
# Tables of version 1 had them from some moment on.
_FAILED_LOGINS: Final = """
CREATE TABLE IF NOT EXISTS failed_login (
    node smallint, epoch bigint, number bigint, told_at timestamptz NOT NULL,
    ledgers text[] NOT NULL, digests bytea[] NOT NULL, failures integer[] NOT NULL,
    were_forgotten boolean[] NOT NULL, PRIMARY KEY (node, epoch, number)
);
CREATE INDEX IF NOT EXISTS failed_login_at ON failed_login (told_at)
"""
_AGED: Final = """message (domain_id, received_at)
    WHERE held_paths <> '' AND received_at < (number >> 8)::float8 / 1000000 - 3600
"""
# A former server takes a turnaround whose process ended up towards the destination.
_TURNAROUNDS: Final = """
ALTER TABLE login ADD COLUMN turnaround smallint NOT NULL DEFAULT 0;
ALTER TABLE drain ADD COLUMN way text NOT NULL DEFAULT 'destination'
"""
# A former server does not know certificates, and keeps the column's value: it writes others.
_CERTIFICATES: Final = "ALTER TABLE login ADD COLUMN certificates text NOT NULL DEFAULT ''"
_OBJECTS: Final = """
CREATE TABLE content_object (
    content_id bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    doomed_at timestamptz
);
CREATE INDEX content_object_doomed ON content_object (doomed_at) WHERE doomed_at IS NOT NULL;
CREATE TABLE object_mark (place smallint PRIMARY KEY CHECK (place = 1), mark text NOT NULL)
"""
# A former server records each request with the column's value.
_WAYS_OF_RELEASES: Final = "ALTER TABLE release ADD COLUMN way text NOT NULL DEFAULT 'destination'"
# A former server counts no removals. As long as one runs, the age of a domain's oldest mail can be
# too high, until mail of that domain is removed again.
_OLDEST_MAIL: Final = """
ALTER TABLE usage ADD COLUMN removals bigint NOT NULL DEFAULT 0;
CREATE TABLE oldest_mail (
    domain_id integer PRIMARY KEY, removals bigint NOT NULL, received_at float8 NOT NULL
) WITH (fillfactor = 50)
"""
_UNHELD: Final = "message (domain_id, number) WHERE held_paths = ''"
# A former server lets such a login take mail at once.
_RIGHTS_THAT_WAIT: Final = "ALTER TABLE login ADD COLUMN turnaround_at float8"
_DATA_KEYS: Final = "CREATE TABLE data_key (domain_id integer PRIMARY KEY, sealed bytea NOT NULL)"
_SUSPECT: Final = "message (domain_id, number) WHERE held_paths <> '' AND flags & 4 = 4"
# A former server hands such mail over in the order of numbers, and counts nothing.
_DEFERRED: Final = "message (domain_id, number) WHERE held_paths <> '' AND flags & 128 = 128"
# A former server keeps the address alone, as before.
_PAST_ORIGINS: Final = "ALTER TABLE history ADD COLUMN origin text"
_PROGRAMS: Final = "ALTER TABLE restante_schema ADD COLUMN program text NOT NULL DEFAULT ''"
STEPS: Final[Mapping[int, SchemaStep]] = {  # by the version that they begin from
    1: SchemaStep(_ATTEMPTS, oldest=1, text="Keep when a recipient was last tried, and how often."),
    # A former server shows the words as they are.
    2: SchemaStep(_WORDS_OF_FACTORS, oldest=1, text="Store the factors of a sign-in as words."),
    3: SchemaStep(
        _FAILED_LOGINS,
        oldest=1,
        indexes={"message_aged": _AGED},
        text="Count failed logins at all servers, and find imported mail by its age.",
    ),
    4: SchemaStep(_TURNAROUNDS, oldest=1, text="Let logins take mail by ATRN."),
    5: SchemaStep(_CERTIFICATES, oldest=1, text="Let logins be proved by certificates."),
    # A former server never looks there. The first server with an object store keeps it away.
    6: SchemaStep(_OBJECTS, oldest=1, text="Add the names of content in an object store."),
    7: SchemaStep(_WAYS_OF_RELEASES, oldest=1, text="Tell requests for a turnaround from others."),
    8: SchemaStep(
        _OLDEST_MAIL,
        oldest=1,
        indexes={"message_unheld": _UNHELD},
        text="Keep the oldest mail of each domain.",
    ),
    9: SchemaStep(_RIGHTS_THAT_WAIT, oldest=1, text="Let a right to turnarounds begin later."),
    10: SchemaStep(
        "",
        oldest=1,
        indexes={"message_suspect": _SUSPECT},
        text="Find suspect mail without a walk over all other mail.",
    ),
    11: SchemaStep(
        "",
        oldest=1,
        indexes={"message_deferred": _DEFERRED},
        text="Find mail that a policy deferred.",
    ),
    # The first server that seals keeps former ones away.
    12: SchemaStep(_DATA_KEYS, oldest=1, text="Add the keys of sealed content."),
    13: SchemaStep(_PAST_ORIGINS, oldest=1, text="Keep the origin of mail that left."),
    14: SchemaStep(_PROGRAMS, oldest=1, text="Note which version of Restante upgraded the store."),
}

# The last value is NULL before schema 15.
SCHEMA_FOUND: Final = (
    "SELECT version, oldest, to_jsonb(restante_schema) ->> 'program' FROM restante_schema"
)
_LOCKED: Final = f"{SCHEMA_FOUND} FOR UPDATE"
_NOTE: Final = "UPDATE restante_schema SET version = $1, oldest = $2"
_NOTE_PROGRAM: Final = "UPDATE restante_schema SET program = $1"
_AMOUNT: Final = """
    SELECT greatest(reltuples, 0)::bigint, pg_table_size(oid) FROM pg_class
    WHERE oid = to_regclass('message')
"""
_IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
_BUILDS: Final = "SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database()"


def check_schema(
    version: int, oldest: int, program: str | None = None, known: int = VERSION
) -> None:
    """Raise StoreMismatched unless a program that knows a version can work with these tables.

    `program` is the version of Restante that upgraded them, if that is known.
    """
    if version < known:
        raise StoreMismatched(
            f"the store has schema {version}, and this version of Restante needs {known}; run"
            " `restante store upgrade` once"
        )
    if oldest > known:
        raise StoreMismatched(
            f"the store has schema {version}, and this version of Restante ({__version__}) knows"
            f" {known}; install {newer_program(program or '')}, or restore a backup of PostgreSQL"
            " made before the upgrade"
        )


async def upgrade_schema(
    session: DatabaseSession, steps: Mapping[int, SchemaStep] = STEPS, known: int = VERSION
) -> tuple[int, int]:
    """Take all steps that are due, or none. Return the versions before and after it."""
    [(before, oldest, program)] = await session.fetch(SCHEMA_FOUND)
    check_schema(max(before, known), oldest, program, known)
    for version in range(before, known):
        for name, columns in steps[version].indexes.items():
            await _build_index(session, name, columns)
    async with session.transaction():
        [(before, oldest, program)] = await session.fetch(_LOCKED)
        check_schema(max(before, known), oldest, program, known)
        for version in range(before, known):
            if steps[version].statements:
                await session.run(steps[version].statements)
            await session.fetch(_NOTE, version + 1, steps[version].oldest)
        if before < known:
            await session.fetch(_NOTE_PROGRAM, __version__)
    return before, max(before, known)


async def plan_schema(session: DatabaseSession) -> UpgradePlan:
    """Return the steps that are due, and change nothing. The numbers of mail are estimates."""
    [(before, oldest, program)] = await session.fetch(SCHEMA_FOUND)
    check_schema(max(before, VERSION), oldest, program)
    [(messages, octets)] = await session.fetch(_AMOUNT)
    steps = tuple(
        PlannedStep(version + 1, _text(STEPS[version])) for version in range(before, VERSION)
    )
    return UpgradePlan(before, max(before, VERSION), steps, messages, octets, copy=None)


def _text(step: SchemaStep) -> str:
    building = f" Builds {', '.join(step.indexes)} of all mail first." if step.indexes else ""
    return f"{step.text}{building}"


async def _build_index(session: DatabaseSession, name: str, columns: str) -> None:
    """Build an index while servers work, unless it is there. It waits for all older transactions.

    Two builds on one table could end each other.
    """
    found = [is_valid for (is_valid,) in await session.fetch(_IS_VALID, name)]
    if found == [True]:
        return
    if await session.fetch(_BUILDS):
        raise StoreUnusable(
            "the database is building an index, perhaps for another upgrade; wait for its end, and"
            " run `restante store upgrade` again"
        )
    if not session.is_plain:  # otherwise it has the settings of its role
        await session.run("SET lock_timeout = 0")
    with session.patient(_BUILD_PATIENCE):
        if found:
            await session.run(f"DROP INDEX CONCURRENTLY {name}")
        await session.run(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
    if not session.is_plain:
        await session.run("RESET lock_timeout")
