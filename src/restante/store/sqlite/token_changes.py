"""Changes of tokens of the API in the tables.

Each function is the body of one `SqliteChange`, as in mail_changes.
"""

from collections.abc import Collection, Mapping, Sequence

from restante.store.record_store import check_known
from restante.store.sqlite import token_queries
from restante.store.sqlite.record_changes import check_account, delete_token, note_change
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.token_rows import token_row
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind


def put_token(
    transaction: WriteTransaction,
    token: ApiToken,
    audit: AuditEntry,
    known: Collection[str] | None = None,
) -> None:
    """Add or replace a token. Its account must have no tokens but the known ones."""
    if token.account:
        check_account(transaction, token.account)
    present = transaction.execute(token_queries.ACCOUNT_OF, (token.id,))
    if present and present != [(token.account,)]:
        raise Conflict(f"token {token.id} is taken")
    rows = transaction.execute(token_queries.OF_ACCOUNT, (token.account,))
    check_known((one for (one,) in rows), known)
    transaction.execute(token_queries.KEEP, token_row(token))
    note_change(transaction, RecordKind.TOKEN, token.id, audit)


def delete_tokens(transaction: WriteTransaction, ids: Sequence[str]) -> None:
    """Remove tokens that are over, where they are there."""
    for token_id in ids:
        if transaction.execute(token_queries.ACCOUNT_OF, (token_id,)):
            delete_token(transaction, token_id)


def record_token_uses(transaction: WriteTransaction, uses: Mapping[str, float]) -> None:
    """Keep the times of last uses."""
    for token_id, at in uses.items():
        transaction.execute(token_queries.KEEP_USE, {"id": token_id, "at": at})
