"""Which messages of a batch cannot be held, while the others can."""

from collections.abc import Callable, Sequence

from restante.mail.message import NewMessage
from restante.store.store_errors import Conflict, StoreError


def refused_of(
    messages: Sequence[NewMessage], is_hosted: Callable[[int], bool]
) -> dict[int, StoreError]:
    """Return by number why messages are refused.

    A mail to several domains has one sender, who gets one reply. If one of its messages is refused,
    all are; otherwise the sender would send again what is held.
    """
    gone = {one.number: one.domain_id for one in messages if not is_hosted(one.domain_id)}
    if not gone:
        return {}
    mails = {one.first or one.number: gone[one.number] for one in messages if one.number in gone}
    return {
        one.number: Conflict(f"domain {mails[one.first or one.number]} no longer exists")
        for one in messages
        if (one.first or one.number) in mails
    }
