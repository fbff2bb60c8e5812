"""The outcome of a sending attempt; the body of one `SqliteChange`, as in mail_changes."""

from collections.abc import Sequence

from restante.queue.sending_outcome import SendingOutcome
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.rows import storable


def settle_sending(
    transaction: WriteTransaction, outcomes: Sequence[SendingOutcome], *, remove: str, put_off: str
) -> None:
    """Remove what is done with, and put the rest off, by these two queries."""
    for outcome in outcomes:
        if outcome.next_attempt_at is None:
            transaction.execute(remove, (outcome.number,))
        else:
            transaction.execute(
                put_off, (outcome.next_attempt_at, storable(outcome.reply), outcome.number)
            )
