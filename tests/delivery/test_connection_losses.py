"""A lost connection is replaced, but not one after the other without an end."""

from typing import Any

import pytest

from restante.delivery.connection_losses import (
    LOSSES_LIMIT,
    LOSSES_LIMIT_KNOWN,
    ConnectionLosses,
)
from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.smtp.pipelining import Pipelining


def end(kind: EndKind = EndKind.BROKEN, **facts: Any) -> ConnectionEnd:
    """Return the end of a connection that was ready, and had tried a message."""
    return ConnectionEnd(kind, "closed", True, (), "", **{"tried": 1, **facts})


@pytest.mark.parametrize(
    ("takes_mail", "limit"), [(False, LOSSES_LIMIT), (True, LOSSES_LIMIT_KNOWN)]
)
def test_losses_over_messages_are_replaced_up_to_a_limit(takes_mail: bool, limit: int) -> None:
    losses = ConnectionLosses(lambda: takes_mail)
    replaced = [losses.is_replaced(end()) for _ in range(limit + 1)]
    assert replaced == [*[True] * limit, False]
    assert losses.are_too_many


def test_a_delivery_begins_the_count_again() -> None:
    losses = ConnectionLosses(lambda: False)
    for _ in range(LOSSES_LIMIT):
        losses.is_replaced(end())
    losses.delivered()
    assert losses.is_replaced(end())
    assert not losses.are_too_many


@pytest.mark.parametrize(
    "ended",
    [
        end(EndKind.QUIT),
        end(EndKind.UNREADABLE),
        end(EndKind.BUSY, delivered=3),
        end(delivered=1, was_closed=True),
    ],
    ids=["we said QUIT", "our content was unreadable", "421 after mail", "closed after mail"],
)
def test_an_end_that_is_no_fault_is_replaced_and_not_counted(ended: ConnectionEnd) -> None:
    losses = ConnectionLosses(lambda: False)
    assert all(losses.is_replaced(ended) for _ in range(20))
    assert not losses.are_too_many


def test_a_loss_over_no_message_is_replaced_only_by_a_gentler_connection() -> None:
    losses = ConnectionLosses(lambda: False)
    assert not losses.is_replaced(end(tried=0))
    assert losses.is_replaced(end(not_borne=Pipelining.OPENING, manner=SendingManner.AHEAD_IN_VAIN))
    assert not losses.are_too_many
