"""The tables that a move takes along, in both kinds of store. Pure.

Both kinds write the values of a row alike (`store/stored_form`), and have these columns. A test
compares this list with the tables of both. A table that is in neither list fails it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from restante.store.stored_form.row_type import Row


@dataclass(frozen=True, slots=True)
class MovedTable:
    """A table, read and written in the order of its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    heavy: str = ""  # the column whose octets bound a slice
    has_content: bool = False  # a row can have large content, which is beside it
    only: str = ""  # the condition of the rows that move

    def key_of(self, row: Row) -> Row:
        """Return the key of a row."""
        return tuple(row[self.columns.index(name)] for name in self.key)


def _table(
    name: str,
    columns: str,
    key: str,
    *,
    heavy: str = "",
    has_content: bool = False,
    only: str = "",
) -> MovedTable:
    return MovedTable(name, tuple(columns.split()), tuple(key.split()), heavy, has_content, only)


MESSAGES: Final = _table(
    "message",
    "number domain_id received_at size flags reverse_path held_paths file_crc32 head_crc32 dsn"
    " head message_id origin",
    "number",
    heavy="head",
    has_content=True,
)
MOVED: Final[tuple[MovedTable, ...]] = (
    _table(
        "last_reply",
        "domain_id number forward_path is_refused reply at attempts tried_at",
        "domain_id number forward_path",
    ),
    _table(
        "drain",
        "domain_id number requested_at deadline times stop release requested_by is_open way",
        "domain_id",
    ),
    _table(
        "past_drain",
        "domain_id started_at ended_at requested_by ending reason delivered deferred refused"
        " last_error uncertain taker",
        "domain_id",
    ),
    _table(
        "mark",
        "domain_id kind value",
        "domain_id kind",
    ),
    _table(
        "report",
        "number about domain_id action reverse_path flags made_at next_attempt_at failures"
        " reply content",
        "number",
        heavy="content",
    ),
    _table(
        "history",
        "id at outcome domain_id number received_at octets drain release reverse_path"
        " forward_path client message_id reply origin",
        "id",
    ),
    _table(
        "release",
        "id at actor acted_from target account domain result reason pending way",
        "id",
    ),
    _table(
        "release_drain",
        "release domain_id opener delivered refused uncertain held ended_at ending",
        "release domain_id",
    ),
    _table(
        "counter",
        "name value",
        "name",
        only="name = 'change-number'",
    ),
    _table(
        "change",
        "number kind key",
        "number",
    ),
    _table(
        "account",
        "name created_at empty_reply note quota report_details history change_lock",
        "name",
    ),
    _table(
        "login",
        "user account password_hash sealed_secret created_at sealed_verifier valid_until"
        " prior_hash prior_secret prior_verifier prior_until turnaround certificates"
        " turnaround_at",
        "user",
    ),
    _table(
        "login_use",
        "user at address mechanism",
        "user",
    ),
    _table(
        "domain",
        "id name account destination authorized_hosts created_at policy",
        "id",
    ),
    _table(
        "recipient",
        "domain_id source name is_there at",
        "domain_id source name",
    ),
    _table(
        "token",
        "id account name secret_hash grants created_by created_at domains networks expires_at"
        " revoked_at maker",
        "id",
    ),
    _table(
        "token_use",
        "id at",
        "id",
    ),
    _table(
        "portal_user",
        "email account grants created_by created_at revision password_hash sealed_totp"
        " totp_step recovery passkeys oidc_issuer oidc_subject invitation_hash"
        " invitation_until signed_in_at",
        "email",
    ),
    _table(
        "portal_session",
        "id_hash email stamp factors address agent signed_in_at proved_at used_at",
        "id_hash",
    ),
    _table(
        "scheduled_change",
        "id domain_id domain account maker acted_from token portal_user made_at applies_at"
        " former_destination wanted_destination former_hosts wanted_hosts reason is_announced",
        "id",
    ),
    _table(
        "audit",
        "id at action actor subject account acted_from answer reason domain changes result",
        "id",
    ),
    _table(
        "channel",
        "id account name transport target sealed kinds created_at all_accounts",
        "id",
    ),
    _table(
        "notice",
        "number channel_id key facts held_back made_at next_attempt_at failures reply",
        "number",
    ),
    _table(
        "past_notice",
        "number channel_id key facts held_back ended_at is_sent failures reply",
        "number",
    ),
    _table(
        "quiet",
        "account kind about until held_back last",
        "account kind about",
    ),
    _table(
        "answer",
        "id key_owner key request at status body",
        "id",
        heavy="body",
    ),
    _table(
        "data_key",
        "domain_id sealed",
        "domain_id",
    ),
    _table(
        "used_value",
        "digest until",
        "digest",
    ),
    _table(
        "presence",
        "id at account destination seen reason",
        "id",
    ),
    _table(
        "held_peak",
        "domain_id account width at messages octets",
        "domain_id account width at",
    ),
    _table(
        "account_use",
        "account added_at month received received_octets delivered octet_seconds",
        "account added_at month",
    ),
    _table(
        "erasure",
        "number person",
        "number",
    ),
    MESSAGES,
)

# The tables of each kind that stay behind, by the reason.
STAYS_ON_SQLITE: Final[Mapping[str, str]] = {
    "usage": "counted again from the messages",
    "message_key": "kept by triggers on the messages",
    "data_key_copy": "kept by triggers on the data keys",
    "history_hour": "recreated from the history",
    "schema_program": "the versions of programs that made these tables",
    "sqlite_sequence": "the highest ids are moved by themselves",
}
STAYS_ON_POSTGRES: Final[Mapping[str, str]] = {
    "restante_schema": "the version of the tables themselves",
    "node": "the processes that have the store open: there are none",
    "made_change": "of processes that have ended",
    "bulletin": "of processes that have ended",
    "failed_login": "of processes that have ended",
    "duty": "leases of processes that have ended",
    "usage": "counted again from the messages",
    "oldest_mail": "found again among the messages",
    "chunk": "the content of messages, which moves with them",
    "content_object": "the names of large content, which moves with its messages",
    "object_mark": "the mark of an object store, which is this store's own",
    "spool": "content on its way in: there is none",
}
# Columns that one kind has beside those that move.
OWN_OF_SQLITE: Final[Mapping[str, frozenset[str]]] = {"message": frozenset({"file"})}
OWN_OF_POSTGRES: Final[Mapping[str, frozenset[str]]] = {
    "message": frozenset({"content_id"}),
    "drain": frozenset({"version", "owner", "owner_epoch"}),
}
# Rows of `counter` that one kind keeps for itself.
COUNTERS_OF_SQLITE: Final = frozenset({"last-number", "keyed-from", "reports", "notices"})

# The tables that give out ids. None is given out again after a move, even if its row was removed.
NUMBERED: Final = (
    *("domain", "channel", "notice", "past_notice", "report", "erasure", "scheduled_change"),
    *("audit", "history", "presence", "answer"),
)
ID_COLUMNS: Final[Mapping[str, str]] = {
    table.name: table.key[0] for table in MOVED if table.name in NUMBERED
}
