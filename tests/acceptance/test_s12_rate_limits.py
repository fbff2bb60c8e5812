"""S12: a stock Postfix that limits the rate gets what it allows."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import REVERSE_PATH

ALLOWED: Final = 5  # messages in each unit
UNIT: Final = 4  # seconds, in place of a minute
LIMITS: Final = {
    "smtpd_client_message_rate_limit": str(ALLOWED),
    "anvil_rate_time_unit": f"{UNIT}s",
}
HELD: Final = 21
SPARE: Final = 10  # units for a machine with other work


@pytest.fixture
def limiting() -> Iterator[PostfixPrimary]:
    with PostfixPrimary(["rate.example"], settings=LIMITS) as primary:
        primary.start()
        yield primary


def test_a_stock_postfix_that_takes_five_messages_a_minute_gets_five(
    restante: Installation, limiting: PostfixPrimary
) -> None:
    restante.hosts("rate.example", at(limiting))
    with smtplib.SMTP(restante.mx.host, restante.mx.port, "sender.example") as sender:
        for number in range(HELD):
            sender.sendmail(
                REVERSE_PATH, "b@rate.example", f"Subject: {number}\r\n\r\nx\r\n".encode()
            )
    began = time.monotonic()
    restante.do("release", "rate.example")

    arrived = limiting.wait_for(HELD)

    # The first unit gives two to the probe. One unit more is needed where the first one began.
    assert len(arrived) == HELD
    assert time.monotonic() - began <= (HELD // ALLOWED + 3 + SPARE) * UNIT
    restante.wait_for_event("drain-finished", domain="rate.example")
    last = restante.shown("domain", "show", "rate.example")["last_drain"]
    assert (last["end"], last["delivered"]) == ("finished", HELD)
    assert "rate limit" not in last["reason"]
