"""The tables, and how a database of an earlier version becomes one of this version.

`PRAGMA user_version` counts the migrations that a database has been through. A released migration
is never edited: its results are on people's disks. The statements are in `mail_schema`,
`history_schema` and `portal_schema`; a new one goes to the end of the last.
"""

from collections.abc import Callable

import apsw

from restante import __version__
from restante.store.sqlite import history_schema, mail_schema, portal_schema

Migration = Callable[[apsw.Connection], object]

MIGRATIONS: tuple[Migration, ...] = (
    mail_schema.create_tables,
    mail_schema.add_policies,
    mail_schema.add_reports,
    mail_schema.add_notices,
    mail_schema.count_backlogs,
    mail_schema.add_audit_details,
    mail_schema.add_past_drains,
    mail_schema.add_report_details,
    mail_schema.add_scram_verifiers,
    mail_schema.allow_uncertain,
    mail_schema.index_success_reports,
    mail_schema.rename_refused_notice,
    mail_schema.add_drain_requests,
    mail_schema.add_origins,
    mail_schema.name_damaged,
    mail_schema.add_changes,
    mail_schema.add_past_drain_facts,
    history_schema.add_history,
    history_schema.add_releases,
    history_schema.add_tokens,
    history_schema.keep_requesters,
    history_schema.add_searches,
    history_schema.add_answers,
    history_schema.add_presence,
    history_schema.add_login_rotation,
    portal_schema.add_portal_users,
    portal_schema.add_held_peaks,
    portal_schema.add_account_use,
    portal_schema.add_past_notices,
    portal_schema.add_erasures,
    portal_schema.add_portal_sessions,
    portal_schema.add_scheduled_changes,
    portal_schema.index_refused_numbers,
    portal_schema.add_change_locks,
    portal_schema.forget_requesters_of_closed_drains,
    portal_schema.add_used_values,
    portal_schema.name_results_of_releases,
    portal_schema.name_results_in_audit,
    portal_schema.rename_places_of_actors,
    portal_schema.name_columns_as_fields,
    portal_schema.spell_words_with_hyphens,
    portal_schema.add_attempts,
    portal_schema.store_factors_as_words,
    portal_schema.add_turnarounds,
    portal_schema.add_client_certificates,
    portal_schema.add_ways_of_releases,
    portal_schema.let_rights_wait,
    portal_schema.index_suspect_mail,
    portal_schema.index_deferred_mail,
    portal_schema.add_data_keys,
    portal_schema.add_origins_of_history,
    portal_schema.add_programs,
)
_KEEPS_PROGRAMS = 52  # the first schema that names the program of each later one


def migrate(connection: apsw.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Bring a database to the present schema, a transaction per step; return its version.

    A newer one stays as it is: `newer_schema` refuses it.
    """
    present = int(connection.pragma("user_version"))
    for version in range(present, len(migrations)):
        _step(connection, migrations[version], version + 1)
    return max(present, len(migrations))


def summary(migration: Migration) -> str:
    """Return what a step does, in a line."""
    return (migration.__doc__ or "").partition("\n")[0]


def _step(connection: apsw.Connection, migration: Migration, version: int) -> None:
    with connection:  # commits, or rolls back if the migration raises
        migration(connection)
        connection.pragma("user_version", version)
        if version >= _KEEPS_PROGRAMS:
            connection.execute(portal_schema.KEEP_PROGRAM, (version, __version__))
