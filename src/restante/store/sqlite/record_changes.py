"""Changes of drains, of the operator's records and of the audit trail in the tables.

Each function is the body of one `SqliteChange`, as in mail_changes. There is one writer, so a check
stays true until the commit.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from restante.phrases import CHANGED_MEANWHILE, EXISTS, REMOVED_MEANWHILE
from restante.queue.drain_word import DrainEnd, DrainWay
from restante.store.drain_book import is_finished
from restante.store.handover_store import Drain, JoinedDrain, PastDrain, WantedDrain
from restante.store.record_store import CHANGES_KEPT, Absent, is_as_before
from restante.store.sqlite import (
    audit_queries,
    drain_queries,
    key_queries,
    mail_queries,
    portal_user_queries,
    record_queries,
    release_changes,
    session_queries,
    token_queries,
)
from restante.store.sqlite.record_reading import record_of
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict, Overtaken
from restante.store.stored_form.record_rows import account_row, domain_row, login_row
from restante.store.stored_form.rows import audit_row, past_drain_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, HostedDomain, Login, LoginUse
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.recipients import Recipient, RecipientSource

_NAMES = 1000  # of recipients, in one statement

# --- drains


def open_drain(
    transaction: WriteTransaction,
    domain_id: int,
    requested_at: float,
    deadline: float,
    *,
    release: int = 0,
    requested_by: str = "",
    way: DrainWay = DrainWay.DESTINATION,
) -> Drain | JoinedDrain:
    """Record a drain under a number that nobody has had, or join the one that is open."""
    transaction.ledger.check_hosted(domain_id)
    opened = transaction.ledger.drains.open(
        domain_id, requested_at, deadline, release, requested_by, way=way
    )
    _keep_drain(transaction, domain_id)
    if release:
        drain = opened.drain if isinstance(opened, JoinedDrain) else opened
        release_changes.begin(transaction, drain, release)
    return opened


def take_over(transaction: WriteTransaction, drain: Drain) -> Drain | None:
    """Give a drain to another owner, if it is in force."""
    taken = transaction.ledger.drains.take_over(drain)
    if taken is not None:
        _keep_drain(transaction, drain.domain_id)
    return taken


def ask_stop(transaction: WriteTransaction, domain_id: int, reason: str) -> bool:
    """Record beside a drain that it must end."""
    is_there = transaction.ledger.drains.ask_stop(domain_id, reason)
    if is_there:
        _keep_drain(transaction, domain_id)
    return is_there


def finish_drain(
    transaction: WriteTransaction,
    drain: Drain,
    left_behind: int,
    past: PastDrain | None,
    times: int = 0,
) -> bool:
    """Close it unless mail waits for it: mail held earlier in this transaction counts too."""
    drains = transaction.ledger.drains
    drains.check(drain)
    held = transaction.ledger.usage(drain.domain_id).held
    if not is_finished(drains.records[drain.domain_id], held, left_behind, times):
        return False
    close_drain(transaction, drain, past)
    return True


def close_drain(
    transaction: WriteTransaction, drain: Drain, past: PastDrain | None, at: float = 0.0
) -> None:
    """Record that it is over and how it went, and let nothing more be settled under it."""
    ledger = transaction.ledger
    if ledger.drains.is_in_force(drain):
        ended_at, ending = (at, DrainEnd.STOPPED) if past is None else (past.ended_at, past.end)
        release_changes.end(transaction, ledger.drains.present(drain.domain_id), ended_at, ending)
        ledger.touch_drain(drain.domain_id)
        number = ledger.drains.close(drain)
        transaction.execute(drain_queries.CLOSE_DRAIN, (number, drain.domain_id))
        if past is not None:
            transaction.execute(
                drain_queries.KEEP_PAST_DRAIN, (drain.domain_id, *past_drain_row(past))
            )


def follow_drain(
    transaction: WriteTransaction,
    drain: Drain,
    wanted: WantedDrain,
    past: PastDrain | None,
) -> Drain | None:
    """Close it, and open another in its place, with the releases that joined it."""
    drains = transaction.ledger.drains
    if not drains.is_in_force(drain):
        return None
    present = drains.present(drain.domain_id)
    close_drain(transaction, drain, past, wanted.at)
    release = release_changes.carry(transaction, present) or wanted.release
    opened = open_drain(
        transaction,
        drain.domain_id,
        wanted.at,
        wanted.deadline,
        release=release,
        requested_by=wanted.requested_by,
    )
    assert isinstance(opened, Drain), "the last one was closed"
    return opened


def _keep_drain(transaction: WriteTransaction, domain_id: int) -> None:
    transaction.ledger.touch_drain(domain_id)
    record = transaction.ledger.drains.records[domain_id]
    drain = record.drain
    transaction.execute(
        drain_queries.KEEP_DRAIN,
        (
            domain_id,
            drain.number,
            drain.requested_at,
            drain.deadline,
            record.times,
            record.stop,
            drain.release,
            drain.requested_by,
            str(drain.way),
        ),
    )


# --- accounts and logins


def check_before(transaction: WriteTransaction, kind: RecordKind, key: str, before: object) -> None:
    """Raise Overtaken unless the record is as it was before a change."""
    if not is_as_before(record_of(transaction.connection, kind, key), before):
        raise Overtaken(f"{kind} {key} {CHANGED_MEANWHILE}")


def put_account(
    transaction: WriteTransaction,
    account: Account,
    audit: AuditEntry,
    before: Account | Absent | None = None,
) -> None:
    """Add or replace an account."""
    check_before(transaction, RecordKind.ACCOUNT, account.name, before)
    transaction.execute(record_queries.KEEP_ACCOUNT, account_row(account))
    note_change(transaction, RecordKind.ACCOUNT, account.name, audit)


def delete_account(transaction: WriteTransaction, name: str, audit: AuditEntry) -> None:
    """Remove an account that has only tokens and portal users, and these too."""
    if transaction.execute(record_queries.ACCOUNT_IN_USE, {"name": name}):
        raise Conflict(f"account {name} has logins, domains or channels")
    if _has_account(transaction, name):
        for (token_id,) in transaction.execute(token_queries.OF_ACCOUNT, (name,)):
            delete_token(transaction, token_id)
        for (email,) in transaction.execute(portal_user_queries.OF_ACCOUNT, (name,)):
            transaction.execute(portal_user_queries.REMOVE, (email,))
            transaction.execute(session_queries.END_OF_USER, (email,))
            note_change(transaction, RecordKind.PORTAL_USER, email, None)
        transaction.execute(record_queries.REMOVE_ACCOUNT, (name,))
        note_change(transaction, RecordKind.ACCOUNT, name, audit)


def put_login(
    transaction: WriteTransaction,
    login: Login,
    audit: AuditEntry,
    before: Login | Absent | None = None,
) -> None:
    """Add or replace a login of an account."""
    check_before(transaction, RecordKind.LOGIN, login.user, before)
    check_account(transaction, login.account)
    present = transaction.execute(record_queries.ACCOUNT_OF_LOGIN, (login.user,))
    if present and present != [(login.account,)]:
        raise Conflict(f"user name {login.user} is taken")
    transaction.execute(record_queries.KEEP_LOGIN, login_row(login))
    note_change(transaction, RecordKind.LOGIN, login.user, audit)


def forget_prior_password(
    transaction: WriteTransaction, *, user: str, valid_until: float, audit: AuditEntry
) -> None:
    """Forget the password before a rotation, if it is still that one."""
    if transaction.execute(record_queries.IS_IN_ROTATION, {"user": user, "until": valid_until}):
        transaction.execute(record_queries.END_ROTATION, {"user": user})
        note_change(transaction, RecordKind.LOGIN, user, audit)


def delete_login(transaction: WriteTransaction, user: str, audit: AuditEntry) -> None:
    """Remove a login if it is there."""
    if transaction.execute(record_queries.ACCOUNT_OF_LOGIN, (user,)):
        transaction.execute(record_queries.REMOVE_LOGIN, (user,))
        transaction.execute(record_queries.REMOVE_LOGIN_USE, (user,))
        note_change(transaction, RecordKind.LOGIN, user, audit)


def record_login_uses(transaction: WriteTransaction, uses: Mapping[str, LoginUse]) -> None:
    """Keep when and how logins were last authenticated."""
    for user, use in uses.items():
        transaction.execute(record_queries.KEEP_LOGIN_USE, {"user": user, **asdict(use)})


def delete_token(transaction: WriteTransaction, token_id: str) -> None:
    """Remove a token of the API; its account's entry, or an earlier one, tells about it."""
    transaction.execute(token_queries.REMOVE, (token_id,))
    transaction.execute(token_queries.REMOVE_USE, (token_id,))
    note_change(transaction, RecordKind.TOKEN, token_id, None)


# --- domains


def put_domain(
    transaction: WriteTransaction,
    domain: HostedDomain,
    audit: AuditEntry,
    before: HostedDomain | None = None,
) -> HostedDomain:
    """Add a domain, or replace the one that has both this name and this id."""
    check_before(transaction, RecordKind.DOMAIN, str(domain.id), before)
    check_account(transaction, domain.account)
    present = transaction.execute(record_queries.ID_OF_DOMAIN, (domain.name,))
    if present != ([(domain.id,)] if domain.id else []):
        raise Conflict(f"domain {domain.name} {EXISTS}, or {REMOVED_MEANWHILE}")
    stored = _change_domain(transaction, domain) if domain.id else _add_domain(transaction, domain)
    note_change(transaction, RecordKind.DOMAIN, str(stored.id), audit)
    return stored


def _add_domain(transaction: WriteTransaction, domain: HostedDomain) -> HostedDomain:
    transaction.execute(record_queries.ADD_DOMAIN, domain_row(domain))
    domain_id = transaction.connection.last_insert_rowid()
    transaction.ledger.add_domain(domain_id, domain.account)
    return replace(domain, id=domain_id)


def _change_domain(transaction: WriteTransaction, domain: HostedDomain) -> HostedDomain:
    transaction.execute(record_queries.CHANGE_DOMAIN, (*domain_row(domain), domain.id))
    transaction.ledger.give_domain(domain.id, domain.account)
    return domain


def delete_domain(transaction: WriteTransaction, domain_id: int, audit: AuditEntry) -> None:
    """Remove a domain that holds nothing, with its drain."""
    ledger = transaction.ledger
    if ledger.usage(domain_id).messages:
        raise Conflict(f"domain {domain_id} holds mail")
    if not ledger.hosts(domain_id):
        return
    if domain_id in ledger.drains.records:
        release_changes.end(
            transaction, ledger.drains.present(domain_id), audit.at, DrainEnd.STOPPED
        )
    for query in (
        record_queries.REMOVE_DOMAIN,
        record_queries.REMOVE_USAGE,
        drain_queries.REMOVE_DRAIN,
        drain_queries.REMOVE_PAST_DRAIN,
        mail_queries.REMOVE_MARKS,
        record_queries.REMOVE_RECIPIENTS,
        key_queries.ERASE,
        key_queries.REMOVE,
    ):
        transaction.execute(query, (domain_id,))
    transaction.execute(record_queries.KEEP_LAST_NUMBER, (ledger.last_number,))
    ledger.remove_domain(domain_id)
    note_change(transaction, RecordKind.DOMAIN, str(domain_id), audit)


def keep_mark(
    transaction: WriteTransaction, domain_id: int, kind: str, value: float | None
) -> None:
    """Keep a mark of a domain; None forgets it."""
    transaction.ledger.check_hosted(domain_id)
    if value is None:
        transaction.execute(mail_queries.REMOVE_MARK, (domain_id, kind))
    else:
        transaction.execute(mail_queries.KEEP_MARK, (domain_id, kind, value))


def change_list(
    transaction: WriteTransaction,
    *,
    domain_id: int,
    added: Sequence[str],
    dropped: Sequence[str],
    audit: AuditEntry,
) -> None:
    """Change a domain's list of recipients.

    So many names to a statement: JSON is made under the interpreter's lock.
    """
    transaction.ledger.check_hosted(domain_id)
    for start in range(0, len(dropped), _NAMES):
        names = json.dumps(list(dropped[start : start + _NAMES]))
        transaction.execute(record_queries.REMOVE_FROM_LIST, (domain_id, names))
    for start in range(0, len(added), _NAMES):
        listed = [
            Recipient(name, RecipientSource.LIST, is_there=True, at=audit.at)
            for name in added[start : start + _NAMES]
        ]
        _keep_recipients(transaction, domain_id, listed)
    note_change(transaction, RecordKind.RECIPIENTS, str(domain_id), audit)


def learn(transaction: WriteTransaction, domain_id: int, facts: Sequence[Recipient]) -> None:
    """Keep what a destination said of mailboxes."""
    transaction.ledger.check_hosted(domain_id)
    _keep_recipients(transaction, domain_id, facts)


def _keep_recipients(
    transaction: WriteTransaction, domain_id: int, recipients: Sequence[Recipient]
) -> None:
    entries = json.dumps([(one.name, one.source, int(one.is_there), one.at) for one in recipients])
    transaction.execute(
        record_queries.KEEP_RECIPIENTS, {"domain_id": domain_id, "entries": entries}
    )


# --- the trail


def record(transaction: WriteTransaction, entries: Sequence[AuditEntry]) -> None:
    """Append to the audit trail."""
    for entry in entries:
        transaction.execute(audit_queries.RECORD, audit_row(entry))


def note_change(
    transaction: WriteTransaction, kind: RecordKind, key: str, audit: AuditEntry | None
) -> None:
    """Number a change of a record, and append its entry, if it has one, to the trail."""
    transaction.ledger.has_new_records = True
    transaction.execute(record_queries.MOVE_CHANGE_NUMBER)
    transaction.execute(record_queries.KEEP_CHANGE, (kind, key))
    transaction.execute(record_queries.DROP_OLD_CHANGES, (CHANGES_KEPT,))
    if audit is not None:
        transaction.execute(audit_queries.RECORD, audit_row(audit))


def _has_account(transaction: WriteTransaction, name: str) -> bool:
    return bool(transaction.execute(record_queries.HAS_ACCOUNT, (name,)))


def check_account(transaction: WriteTransaction, name: str) -> None:
    """Raise Conflict where there is no such account."""
    if not _has_account(transaction, name):
        raise Conflict(f"account {name} no longer exists")
