"""The envelope of one mail transaction, as its recipients are added."""

from ipaddress import ip_address
from typing import Any, cast

import pytest

from restante.checks.check import ClientFacts
from restante.checks.session_checks import SessionChecks
from restante.mail.address import Mailbox
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.reception.admission import HostedRecipient
from restante.reception.admitted_transaction import (
    AdmittedTransaction,
    envelope_of,
    examine_content,
)
from restante.reception.content_buffer import ContentBuffer
from restante.reception.transaction_checks import TransactionChecks
from restante.smtp.commands import Mail, parse_command
from tests.contract.making import domain

CLIENT = ClientFacts(ip_address("192.0.2.1"), "c.example", "mx2.example.net")
NEVER = RecipientRequest(Notify.NEVER)
NO_CONTENT = cast("ContentBuffer", None)


def transaction(line: bytes) -> AdmittedTransaction:
    mail = parse_command(line)
    assert isinstance(mail, Mail)
    checks = TransactionChecks(SessionChecks([]), CLIENT, mail.reverse_path)
    return AdmittedTransaction(mail, NO_CONTENT, checks)


def recipient(local_part: str) -> HostedRecipient:
    path = Mailbox(local_part, "alpha.example")
    return HostedRecipient(path, str(path), domain())


@pytest.mark.parametrize(
    ("line", "envelope"),
    [
        (b"MAIL FROM:<>", Envelope("", ("anna@alpha.example",))),
        (b"MAIL FROM:<s@b.example>", Envelope("s@b.example", ("anna@alpha.example",))),
        (
            b"MAIL FROM:<s@b.example> BODY=8BITMIME SMTPUTF8",
            Envelope("s@b.example", ("anna@alpha.example",), is_8bit=True, needs_smtputf8=True),
        ),
        (
            b"MAIL FROM:<s@b.example> RET=HDRS ENVID=id",
            Envelope("s@b.example", ("anna@alpha.example",), dsn=DsnRequest(Ret.HDRS, "id")),
        ),
    ],
)
def test_the_envelope_has_the_parameters_of_mail(line: bytes, envelope: Envelope) -> None:
    begun = transaction(line)
    begun.add(recipient("anna"), None)
    assert envelope_of(begun) == envelope


def test_a_recipient_that_is_named_twice_counts_once() -> None:
    begun = transaction(b"MAIL FROM:<>")
    for local_part in ("anna", "bert", "anna"):
        begun.add(recipient(local_part), None)
    assert envelope_of(begun).forward_paths == ("anna@alpha.example", "bert@alpha.example")


def test_requests_for_reports_are_kept_by_recipient() -> None:
    begun = transaction(b"MAIL FROM:<>")
    begun.add(recipient("anna"), None)
    assert envelope_of(begun).dsn is None
    begun.add(recipient("bert"), NEVER)
    assert envelope_of(begun).dsn == DsnRequest(recipients={"bert@alpha.example": NEVER})


def test_without_a_check_that_reads_content_nothing_is_examined() -> None:
    begun: Any = transaction(b"MAIL FROM:<>")
    assert examine_content(begun) is None
