"""Mailboxes on the wire: accepted recipients, and no refusal while the destination is away."""

import asyncio
from dataclasses import replace

import pytest

from restante.mail.address import Mailbox
from restante.reception.admission import (
    AdmissionFacts,
    DomainFacts,
    HostedRecipient,
    object_to_recipient,
)
from restante.telemetry.events import RecipientRefused
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.policy import (
    DAY,
    AcceptPolicy,
    Policy,
    RecipientPolicy,
    Suspension,
    UnknownRecipientReply,
    WhileSuspended,
)
from restante.tenancy.recipients import Recipient, RecipientSource, make_book
from tests.wire import Wire

OK = "250 2.1.5 OK"
LATER = "450 4.1.1 Cannot tell whether this mailbox is there, try again later"
NOBODY = "550 5.1.1 No such mailbox here"


def answer(smtp: Wire, path: str) -> str:
    smtp.send(b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % path.encode())
    return smtp.session.data_to_send().decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (UnknownRecipientReply.ACCEPT, OK),
        (UnknownRecipientReply.DEFER, LATER),
        (UnknownRecipientReply.REJECT, NOBODY),
    ],
)
def test_unlisted_addresses_are_answered_as_the_domain_wants(
    smtp: Wire, unknown: UnknownRecipientReply, said: str
) -> None:
    smtp.hosts("a.example", recipients=RecipientPolicy.LIST, unknown=unknown)
    smtp.knows("a.example", Recipient("anna", RecipientSource.LIST, is_there=True, at=smtp.now))
    assert [
        answer(smtp, path) for path in ("Anna@A.example", "postmaster@a.example", "bert@a.example")
    ] == [
        OK,
        OK,
        said,
    ]


def test_the_answer_of_a_destination_counts_for_a_while(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=RecipientPolicy.LEARNED, unknown=UnknownRecipientReply.DEFER)
    smtp.knows(
        "a.example",
        Recipient("anna", RecipientSource.DRAIN, is_there=True, at=smtp.now),
        Recipient("bert", RecipientSource.DRAIN, is_there=False, at=smtp.now),
    )
    names = ("anna", "bert", "carl")
    assert [answer(smtp, f"{name}@a.example") for name in names] == [OK, NOBODY, LATER]
    smtp.now += 8 * DAY
    assert [answer(smtp, f"{name}@a.example") for name in names] == [OK, LATER, LATER]
    assert (
        smtp.log.of(RecipientRefused)[0]["reason"]
        == "the destination said that there is no such mailbox"
    )


@pytest.mark.parametrize("is_up", [True, False])
def test_whether_the_destination_is_there_makes_no_difference(smtp: Wire, is_up: bool) -> None:
    smtp.hosts("a.example", recipients=RecipientPolicy.LEARNED)
    smtp.knows("a.example")
    smtp.is_up = is_up
    assert answer(smtp, "somebody@a.example") == OK


def test_a_book_that_could_not_be_read_keeps_nobody_out(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=RecipientPolicy.LIST, unknown=UnknownRecipientReply.REJECT)
    assert answer(smtp, "anybody@a.example") == OK


def test_one_domains_list_is_no_other_domains(smtp: Wire) -> None:
    smtp.hosts("a.example", recipients=RecipientPolicy.LIST, unknown=UnknownRecipientReply.REJECT)
    smtp.hosts(
        "b.example",
        account="beta",
        recipients=RecipientPolicy.LIST,
        unknown=UnknownRecipientReply.REJECT,
    )
    smtp.knows("a.example", Recipient("anna", RecipientSource.LIST, is_there=True, at=smtp.now))
    smtp.knows("b.example", Recipient("bert", RecipientSource.LIST, is_there=True, at=smtp.now))
    assert [answer(smtp, path) for path in ("anna@b.example", "bert@b.example")] == [NOBODY, OK]


# --- asking the destination


def asking(smtp: Wire, unknown: UnknownRecipientReply = UnknownRecipientReply.ACCEPT) -> None:
    smtp.hosts(
        "a.example", recipients=RecipientPolicy.LEARNED, unknown=unknown, asks_destination=True
    )
    smtp.knows("a.example", Recipient("anna", RecipientSource.DRAIN, is_there=True, at=smtp.now))
    smtp.mailboxes = {"bert@a.example": True, "carl@a.example": False}


def test_only_about_whom_nothing_is_known_the_destination_is_asked(smtp: Wire) -> None:
    asking(smtp, UnknownRecipientReply.DEFER)
    names = ("anna", "postmaster", "bert", "carl", "dora")
    assert [answer(smtp, f"{name}@a.example") for name in names] == [OK, OK, OK, NOBODY, LATER]
    assert smtp.asked == ["bert@a.example", "carl@a.example", "dora@a.example"]


def test_a_destination_that_cannot_tell_keeps_no_mail_from_being_taken(smtp: Wire) -> None:
    asking(smtp)
    assert answer(smtp, "dora@a.example") == OK


def test_an_entry_added_while_the_destination_is_asked_counts(smtp: Wire) -> None:
    asking(smtp)
    book = smtp.recipients.of(smtp.directory.now.domains["a.example"].id)
    assert book is not None

    async def ask(_domain: HostedDomain, path: Mailbox) -> bool:
        book.listed.add(path.local_part)
        return False

    smtp._services = replace(
        smtp._services, admission=replace(smtp._services.admission, callout=ask)
    )
    smtp.connect(has_tls=True)
    assert answer(smtp, "emma@a.example") == OK


def test_a_domain_that_takes_no_mail_now_is_not_asked_about(smtp: Wire) -> None:
    asking(smtp)
    smtp.change("a.example", suspension=Suspension("moving", mail=WhileSuspended.DEFER))
    assert answer(smtp, "bert@a.example").startswith("450 4.3.2")
    assert smtp.asked == []


def test_the_list_knows_better_than_the_destination() -> None:
    book = make_book([Recipient("anna", RecipientSource.LIST, is_there=True, at=0.0)])
    policy = Policy(recipients=RecipientPolicy.LEARNED, asks_destination=True)
    domain = HostedDomain(
        1, "a.example", "alpha", Destination("192.0.2.1"), AuthorizedHosts(), 0.0, policy
    )

    def facts(local_part: str) -> AdmissionFacts:
        path = Mailbox(local_part, "a.example")
        recipient = HostedRecipient(path, str(path), domain)
        return AdmissionFacts(recipient, DomainFacts(0.0), book.known(local_part, policy, 0.0))

    assert object_to_recipient(facts("anna"), 0, answer=False) is None
    assert object_to_recipient(facts("bert"), 0, answer=False) is not None


def test_pipelined_commands_wait_their_turn(smtp: Wire) -> None:
    asking(smtp)
    smtp.send(
        b"MAIL FROM:<>\r\n"
        b"RCPT TO:<carl@a.example>\r\n"
        b"RCPT TO:<bert@a.example>\r\n"
        b"RCPT TO:<anna@a.example>\r\n"
        b"DATA\r\n"
        b"Subject: x\r\n"
        b"\r\n"
        b".\r\n"
    )
    said = smtp.session.data_to_send().decode().splitlines()
    assert [line[:3] for line in said] == ["250", "550", "250", "250", "354", "250"]
    assert smtp.held("a.example")[0].envelope.forward_paths == ("bert@a.example", "anna@a.example")


def test_a_session_that_goes_while_the_destination_is_asked_leaves_nothing(smtp: Wire) -> None:
    asking(smtp)
    smtp.session.receive_data(b"MAIL FROM:<>\r\nRCPT TO:<bert@a.example>\r\n")
    smtp.run(_advance(smtp))
    assert smtp.asked == ["bert@a.example"]
    assert not smtp.dialogue.is_waiting


async def _advance(smtp: Wire) -> None:
    smtp.dialogue.advance()
    assert smtp.dialogue.is_waiting
    smtp.dialogue.abandon()
    assert await asyncio.gather(*smtp._tasks) == [
        None
    ]  # it came to its end, and found nobody to answer


def test_a_drill_comes_in_although_the_destination_is_to_take_its_mail_itself(smtp: Wire) -> None:
    smtp.hosts("a.example", accept=AcceptPolicy.WHEN_DOWN)
    smtp.is_up = True
    assert answer(smtp, "b@a.example").startswith("450")
    for given, code in (("drill-a.example", "250"), ("drill-b.example", "450")):
        smtp.send(f"RSET\r\nMAIL FROM:<> ENVID={given}\r\nRCPT TO:<b@a.example>\r\n".encode())
        assert smtp.session.data_to_send().decode().splitlines()[-1].startswith(code)


def test_a_suspension_counts_for_a_drill_too(smtp: Wire) -> None:
    suspension = Suspension("unpaid", mail=WhileSuspended.DEFER)
    smtp.hosts("a.example", accept=AcceptPolicy.WHEN_DOWN, suspension=suspension)
    smtp.send(b"MAIL FROM:<> ENVID=drill-a.example\r\nRCPT TO:<b@a.example>\r\n")
    assert smtp.session.data_to_send().decode().splitlines()[-1].startswith("450")
