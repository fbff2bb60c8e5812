"""Changes of users of the portal in the tables.

Each function is the body of one `SqliteChange`, as in mail_changes.
"""

from restante.store.sqlite import portal_user_queries, session_queries
from restante.store.sqlite.record_changes import check_account, note_change
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.portal_user_rows import portal_user_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.portal_user import PortalUser


def put_portal_user(transaction: WriteTransaction, user: PortalUser, audit: AuditEntry) -> None:
    """Add or replace a user, on top of the revision before."""
    if user.account:
        check_account(transaction, user.account)
    present = transaction.execute(portal_user_queries.PRESENT, (user.email,))
    before = user.revision - 1
    if present != ([(user.account, before)] if before else []):
        raise Conflict(f"portal user {user.email} was changed meanwhile")
    transaction.execute(portal_user_queries.KEEP, portal_user_row(user))
    transaction.execute(session_queries.END_OTHER_STAMPS, (user.email, user.stamp))
    note_change(transaction, RecordKind.PORTAL_USER, user.email, audit)


def delete_portal_user(transaction: WriteTransaction, email: str, audit: AuditEntry) -> None:
    """Remove a user if there is one."""
    if transaction.execute(portal_user_queries.PRESENT, (email,)):
        transaction.execute(portal_user_queries.REMOVE, (email,))
        transaction.execute(session_queries.END_OF_USER, (email,))
        note_change(transaction, RecordKind.PORTAL_USER, email, audit)
