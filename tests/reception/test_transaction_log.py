"""The events of mail transactions: held, and refused with the true reason."""

from ipaddress import ip_address
from typing import cast

from restante.checks.check import ClientFacts
from restante.checks.session_checks import SessionChecks
from restante.checks.verdict import CheckPassed
from restante.mail.address import Mailbox
from restante.reception.admission import AdmissionObjection, HostedRecipient
from restante.reception.admitted_transaction import AdmittedTransaction
from restante.reception.content_buffer import ContentBuffer
from restante.reception.intake import IntakeReceipt
from restante.reception.refusal_log import LINES_WHOLE
from restante.reception.transaction_checks import TransactionChecks
from restante.reception.transaction_log import TransactionLog
from restante.smtp.commands import Mail, parse_command
from restante.smtp.replies import OK, RELAYING_DENIED, STORE_FAILED
from restante.store.store_errors import StoreError
from restante.telemetry.events import MailChecked, MailHeld, MailRefused, RecipientRefused
from tests.contract.making import domain
from tests.log_lines import Lines

CLIENT = ClientFacts(ip_address("192.0.2.1"), "c.example", "mx2.example.net", "TLSv1.3 X")
NO_CONTENT = cast("ContentBuffer", None)
DENIED = AdmissionObjection(RELAYING_DENIED, "no such domain")
BERT = Mailbox("bert", "b.example")


def transaction(reverse_path: str = "s@b.example") -> AdmittedTransaction:
    """Return one with two recipients."""
    mail = parse_command(f"MAIL FROM:<{reverse_path}>".encode())
    assert isinstance(mail, Mail)
    begun = AdmittedTransaction(
        mail, NO_CONTENT, TransactionChecks(SessionChecks([]), CLIENT, mail.reverse_path)
    )
    for local_part, name in (("anna", "b.example"), ("bert", "a.example")):
        path = Mailbox(local_part, name)
        begun.add(HostedRecipient(path, str(path), domain(name)), None)
    return begun


def log() -> tuple[Lines, TransactionLog]:
    lines = Lines()
    return lines, TransactionLog(lines, str(CLIENT.address))


def test_held_mail_has_one_line() -> None:
    lines, events = log()
    events.settled(transaction(), IntakeReceipt("1k52", 77, message_id="<1@a>"), OK)
    [held] = lines.of(MailHeld)
    assert len(lines.lines) == 1
    assert (held["message"], held["peer"], held["octets"]) == ("1k52", "192.0.2.1", 77)
    assert (held["reverse_path"], held["recipients"]) == ("<s@b.example>", 2)
    assert held["domains"] == ("a.example", "b.example")
    assert held["message_id"] == "<1@a>"
    assert held["forward_paths"] == ("anna@b.example", "bert@a.example")
    assert (held["hello"], held["tls"]) == ("c.example", "TLSv1.3 X")


def test_findings_of_checks_follow_it() -> None:
    lines, events = log()
    begun = transaction()
    begun.checks.findings = begun.checks.findings.with_one("filter", CheckPassed(("SEEN",)))
    events.settled(begun, IntakeReceipt("1k52"), OK)
    assert [kind for kind, _ in lines.lines] == [MailHeld, MailChecked]
    assert lines.of(MailChecked)[0]["notes"] == ("filter: SEEN",)


def test_mail_that_the_store_could_not_hold_is_refused_with_the_cause() -> None:
    lines, events = log()
    events.settled(
        transaction(""), IntakeReceipt("1k52", 77, StoreError("disk I/O error")), STORE_FAILED
    )
    assert lines.of(MailHeld) == []
    [refused] = lines.of(MailRefused)
    assert refused["answer"] == str(STORE_FAILED)
    assert refused["reason"] == "disk I/O error"
    assert (refused["message"], refused["reverse_path"]) == ("1k52", "<>")


def test_a_refused_recipient_has_its_path_and_the_true_reason() -> None:
    lines, events = log()
    events.recipient_refused(transaction(), BERT, DENIED)
    [refused] = lines.of(RecipientRefused)
    assert (refused["forward_path"], refused["reason"]) == ("<bert@b.example>", "no such domain")


def test_refused_content_has_the_domains_that_it_was_for() -> None:
    lines, events = log()
    events.content_refused(transaction(), STORE_FAILED, "too large")
    assert lines.of(MailRefused)[0]["domains"] == ("a.example", "b.example")


def test_content_is_refused_also_after_the_end_of_its_transaction() -> None:
    lines, events = log()
    events.content_refused(None, STORE_FAILED, "the session ended")
    assert lines.of(MailRefused)[0]["reason"] == "the session ended"


def test_refusals_without_end_are_counted_until_the_session_ends() -> None:
    lines, events = log()
    begun = transaction()
    for _ in range(LINES_WHOLE + 7):
        events.recipient_refused(begun, BERT, DENIED)
    assert len(lines.lines) == LINES_WHOLE
    events.close()
    events.close()
    assert len(lines.lines) == LINES_WHOLE + 1
    assert lines.of(RecipientRefused)[-1]["count"] == 7


def test_a_session_without_refusals_ends_without_a_line() -> None:
    lines, events = log()
    events.close()
    assert lines.lines == []
