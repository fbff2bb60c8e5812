"""Mailboxes on the wire: whom mail is taken for, and never a refusal because the destination is away."""

import pytest

from restante.telemetry.events import Event
from restante.tenancy.policy import DAY, Recipients, Unknown
from restante.tenancy.recipients import Recipient, Source
from tests.wire import Wire

OK = "250 2.1.5 OK"
LATER = "450 4.1.1 Cannot tell whether this mailbox is there, try again later"
NOBODY = "550 5.1.1 No such mailbox here"


def answer(smtp: Wire, path: str) -> str:
    smtp.send(b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % path.encode())
    return smtp.session.data_to_send().decode().splitlines()[-1]


@pytest.mark.parametrize(("unknown", "said"), [(Unknown.ACCEPT, OK), (Unknown.DEFER, LATER), (Unknown.REJECT, NOBODY)])
def test_what_is_not_on_the_list_gets_what_the_domain_wants(smtp: Wire, unknown: Unknown, said: str) -> None:
    smtp.hosts("a.example", recipients=Recipients.LIST, unknown=unknown)
    smtp.knows("a.example", Recipient("anna", Source.LIST, is_there=True, at=smtp.now))
    assert [answer(smtp, path) for path in ("Anna@A.example", "postmaster@a.example", "bert@a.example")] == [
        OK,
        OK,
        said,
    ]


def test_what_the_destination_said_counts_for_a_while(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=Recipients.LEARNED, unknown=Unknown.DEFER)
    smtp.knows(
        "a.example",
        Recipient("anna", Source.DRAIN, is_there=True, at=smtp.now),
        Recipient("bert", Source.DRAIN, is_there=False, at=smtp.now),
    )
    names = ("anna", "bert", "carl")
    assert [answer(smtp, f"{name}@a.example") for name in names] == [OK, NOBODY, LATER]
    smtp.now += 8 * DAY
    assert [answer(smtp, f"{name}@a.example") for name in names] == [OK, LATER, LATER]
    assert smtp.log.of(Event.RECIPIENT_REFUSED)[0]["reason"] == "the destination said that there is no such mailbox"


@pytest.mark.parametrize("is_up", [True, False])
def test_whether_the_destination_is_there_makes_no_difference(smtp: Wire, is_up: bool) -> None:
    smtp.hosts("a.example", recipients=Recipients.LEARNED)
    smtp.knows("a.example")
    smtp.is_up = is_up
    assert answer(smtp, "somebody@a.example") == OK


def test_a_book_that_could_not_be_read_keeps_nobody_out(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=Recipients.LIST, unknown=Unknown.REJECT)
    assert answer(smtp, "anybody@a.example") == OK


def test_one_domains_list_is_no_other_domains(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=Recipients.LIST, unknown=Unknown.REJECT)
    smtp.hosts("b.example", account="beta", recipients=Recipients.LIST, unknown=Unknown.REJECT)
    smtp.knows("a.example", Recipient("anna", Source.LIST, is_there=True, at=smtp.now))
    smtp.knows("b.example", Recipient("bert", Source.LIST, is_there=True, at=smtp.now))
    assert [answer(smtp, path) for path in ("anna@b.example", "bert@b.example")] == [NOBODY, OK]
