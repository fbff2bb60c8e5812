"""S12: the primary needs nothing special: a stock Postfix and Exim receive it as any mail."""

from __future__ import annotations

import re
import smtplib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.askers import curl_asks, fetchmail_asks, msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.mailbox import content_below
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import Ended
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import DIFFICULT, MARKER, REVERSE_PATH, arrived, message

ASKERS: Final[dict[str, Callable[[Installation, Login, str], Ended]]] = {
    "fetchmail": lambda restante, login, domain: fetchmail_asks(restante.smtps, login, domain),
    "curl": lambda restante, login, domain: curl_asks(restante.starttls, login, domain),
    "msmtp": lambda restante, login, domain: msmtp_asks(
        restante.starttls, login, domain, mechanism="cram-md5"
    ),
    "restante": lambda restante, login, domain: restante.etrn(domain, login=login),
}
LARGE: Final = message("larger", b"".join(b".%07d\r\n" % number for number in range(150_000)))
COMPLAINTS: Final = re.compile(  # whole lines; a machine's clock that was set back is no complaint
    r"^(?!.*time jump).*(?:warning|error|fatal|panic|reject|improper|synchronization|too many|lost"
    r" connection|non-SMTP|timeout).*",
    re.IGNORECASE | re.MULTILINE,
)
DELIVERED_TO: Final = re.compile(rb"^(?:Delivered-To|Envelope-to): (.+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stock:
    """A primary as it comes, and a domain that is held for it."""

    primary: Primary
    domain: str
    login: Login


@pytest.fixture(scope="module", params=[PostfixPrimary, EximPrimary])
def stock(restante: Installation, request: pytest.FixtureRequest) -> Iterator[Stock]:
    """One of each kind."""
    kind: type[Primary] = request.param
    domain = f"{kind.__name__.lower()}.example"
    with kind([domain]) as primary:
        primary.start()
        yield Stock(primary, domain, restante.hosts(domain, at(primary)))


def hand_in(restante: Installation, contents: Sequence[bytes], *forward_paths: str) -> None:
    """Send messages over one connection."""
    with smtplib.SMTP(restante.mx.host, restante.mx.port, "sender.example") as sender:
        for content in contents:
            assert sender.sendmail(REVERSE_PATH, forward_paths, content) == {}


@pytest.mark.parametrize("requester", ASKERS)
def test_whoever_asks_for_it_a_stock_primary_gets_what_was_sent(
    restante: Installation, stock: Stock, requester: str
) -> None:
    """Dots, octets above 127, longest lines, over a megabyte: unchanged, without a complaint."""
    contents = [*DIFFICULT, LARGE]
    assert len(LARGE) > 1024 * 1024
    had, log = Counter(arrived(stock.primary)), len(stock.primary.log())
    hand_in(restante, contents, f"reader@{stock.domain}")

    asked = ASKERS[requester](restante, stock.login, stock.domain)

    assert asked.returncode == 0, asked.stdout
    eventually(lambda: Counter(arrived(stock.primary)) - had == Counter(contents), what="all of it")
    assert COMPLAINTS.findall(stock.primary.log()[log:]) == []


def test_many_recipients_of_one_message_get_it_once_each(
    restante: Installation, stock: Stock
) -> None:
    """More than the hundred that each server must accept in one transaction (§4.5.3.1.8)."""
    forward_paths = [f"reader-{number}@{stock.domain}" for number in range(150)]
    content = message(f"to many at {stock.domain}")
    log = len(stock.primary.log())
    hand_in(restante, [content], *forward_paths)

    assert curl_asks(restante.smtps, stock.login, stock.domain).returncode == 0
    eventually(
        lambda: len(recipients_of(stock.primary, content)) >= len(forward_paths),
        what="all copies",
    )
    assert recipients_of(stock.primary, content) == sorted(forward_paths)
    assert COMPLAINTS.findall(stock.primary.log()[log:]) == []


def recipients_of(primary: Primary, content: bytes) -> list[str]:
    """Return the recipients to which a primary has delivered a message, once for each copy."""
    copies = [
        raw for raw in primary.messages() if MARKER in raw and content_below(raw, MARKER) == content
    ]
    return sorted(path.decode() for raw in copies for path in DELIVERED_TO.findall(raw))
