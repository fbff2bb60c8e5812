"""Recreates domains and accounts of which a salvage has found only mail or members.

A domain gets the name in its mail's forward-paths, the account `salvaged` and a destination that
nothing answers at. It is suspended: no message leaves before the operator has corrected all three.
"""

from collections import Counter

import apsw

from restante.mail.address import split_mailbox
from restante.store.sqlite import care_queries, record_queries
from restante.store.sqlite.engine import fetch
from restante.store.store_care import StoreFinding
from restante.store.stored_form.record_rows import account_row, domain_row
from restante.tenancy.model import Account, AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.policy import Policy, Suspension

_ACCOUNT = "salvaged"
_NOWHERE = "192.0.2.1"  # RFC 5737: an address that is nobody's
_SUSPENDED = Policy(
    suspension=Suspension("its record was lost; set account, destination and authorized hosts")
)
_SAMPLE = 50  # messages that are asked for a domain's name


def keep_domains(connection: apsw.Connection) -> list[StoreFinding]:
    """Make what is missing; return what was made."""
    made: list[StoreFinding] = []
    with connection:
        for (domain_id,) in fetch(connection, care_queries.DOMAINS_LOST):
            name = _free_name(connection, domain_id)
            domain = HostedDomain(
                0, name, _ACCOUNT, Destination(_NOWHERE), AuthorizedHosts(), 0.0, _SUSPENDED
            )
            connection.execute(care_queries.ADD_DOMAIN_AGAIN, (domain_id, *domain_row(domain)))
            made.append(
                StoreFinding(
                    "domain",
                    f"{name}: its record was lost and recreated, suspended, with no destination",
                )
            )
        for (name,) in fetch(connection, care_queries.ACCOUNTS_LOST):
            connection.execute(record_queries.KEEP_ACCOUNT, account_row(Account(name, 0.0)))
            if name != _ACCOUNT:
                made.append(
                    StoreFinding(
                        "account",
                        f"{name}: its record was lost and recreated, without note and quota",
                    )
                )
    return made


def _free_name(connection: apsw.Connection, domain_id: int) -> str:
    """Return the name that most of a domain's mail is for, or one that no domain can have."""
    names: Counter[str] = Counter()
    for (paths,) in fetch(
        connection, care_queries.PATHS_OF_DOMAIN, (domain_id, domain_id, _SAMPLE)
    ):
        names.update(split_mailbox(path)[1].lower() for path in paths.split("\n") if "@" in path)
    for name, _ in names.most_common():
        if not fetch(connection, record_queries.ID_OF_DOMAIN, (name,)):
            return name
    return f"salvaged-{domain_id}.invalid"
