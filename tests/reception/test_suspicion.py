"""Whose reverse-path is believed."""

import pytest

from restante.mail.address import split_mailbox
from restante.reception.suspicion import is_suspect
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from tests.wire import Wire, initial_response

HOSTED = HostedDomain(1, "a.example", "alpha", Destination("mail.a.example"), AuthorizedHosts(), 0.0)


@pytest.mark.parametrize(
    ("reverse_path", "is_authenticated", "verdict"),
    [
        ("s@elsewhere.example", False, False),
        ("s@A.Example.", False, True),
        ("s@a.example", True, False),
        ("s@sub.a.example", False, False),
        ("s@[192.0.2.1]", False, True),
        ("", False, False),
    ],
)
def test_mail_from_outside_that_claims_to_come_from_where_it_goes_is_suspect(
    reverse_path: str, is_authenticated: bool, verdict: bool
) -> None:
    mailbox = split_mailbox(reverse_path) if reverse_path else None
    assert is_suspect(mailbox, HOSTED, is_authenticated=is_authenticated) == verdict


def test_suspicion_costs_a_message_nothing_but_its_reports(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.send(b"MAIL FROM:<boss@a.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n")
    smtp.send(b"MAIL FROM:<s@s.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n")
    assert [held.envelope.is_suspect for held in smtp.held("a.example")] == [True, False]


def test_a_login_is_believed(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.send(f"AUTH PLAIN {initial_response('alpha')}\r\n".encode())
    smtp.send(b"MAIL FROM:<boss@a.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n")
    [held] = smtp.held("a.example")
    assert not held.envelope.is_suspect
