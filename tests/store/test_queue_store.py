"""Which recipients of a message a listing is about."""

import pytest

from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueuedRecipient, QueueFilter

ANNA = QueuedRecipient("Anna@alpha.example", RecipientStatus.REFUSED, "550 no")


@pytest.mark.parametrize(
    ("selection", "is_about_her"),
    [
        (QueueFilter(), True),
        (QueueFilter(status=RecipientStatus.REFUSED), True),
        (QueueFilter(status=RecipientStatus.HELD), False),
        (QueueFilter(recipient="anna@*"), True),
        (QueueFilter(recipient="bert@*"), False),
        (QueueFilter(status=RecipientStatus.REFUSED, recipient="*"), True),
        (QueueFilter(status=RecipientStatus.HELD, recipient="anna@*"), False),
        (QueueFilter(status=RecipientStatus.REFUSED, recipient="bert@*"), False),
    ],
)
def test_a_listing_is_about_those_with_its_status_and_pattern(
    selection: QueueFilter, is_about_her: bool
) -> None:
    assert selection.concerns(ANNA) is is_about_her
