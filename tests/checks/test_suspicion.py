"""Whose reverse-path is believed."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from restante.checks.check import ClientFacts, ExaminedRecipient
from restante.checks.suspicion import SuspicionCheck, sign_of_forgery
from restante.checks.verdict import CheckRefused
from restante.mail.address import Mailbox, split_mailbox
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.telemetry.events import MailChecked
from restante.tenancy.model import Destination, Directory, HostedDomain, parse_authorized_hosts
from restante.tenancy.policy import OwnDomainPolicy, Policy
from tests.wire import Wire, initial_response

OURS = "mx2.example.net"
HOSTS = parse_authorized_hosts(["198.51.100.0/24", "0.0.0.0/0", "mail.a.example"])
HOSTED = HostedDomain(1, "a.example", "alpha", Destination("mail.a.example"), HOSTS, 0.0)
SISTER = replace(HOSTED, id=2, name="sister.example")
MOVED = replace(HOSTED, id=3, name="moved.example", destination=Destination("mail.a.example", 2525))
OTHERS = replace(HOSTED, id=4, name="others.example", account="beta")
DIRECTORY = Directory(domains={domain.name: domain for domain in (HOSTED, SISTER, MOVED, OTHERS)})
STRANGER = ClientFacts(ip_address("192.0.2.1"), "mail.elsewhere.example", OURS)


def verdict(reverse_path: str, client: ClientFacts = STRANGER) -> bool:
    mailbox = split_mailbox(reverse_path) if reverse_path else None
    facts = ExaminedRecipient(client, mailbox, Mailbox("one", "a.example"), HOSTED)
    return bool(sign_of_forgery(facts, DIRECTORY))


@pytest.mark.parametrize(
    ("reverse_path", "suspect"),
    [
        ("s@elsewhere.example", False),
        ("s@A.Example.", True),
        ("s@sub.a.example", False),
        ("s@[192.0.2.1]", True),
        ("", False),
        ("s@sister.example", True),
        ("s@moved.example", False),
        ("s@others.example", False),
        ("root@web1", True),
        ("root@localhost", True),
        ("root@web1.LOCAL", True),
        ("root@localhost.localdomain", False),
        ("s@nobody.invalid", True),
        ("s@invalid.example", False),
    ],
)
def test_a_reverse_path_describes_itself(reverse_path: str, suspect: bool) -> None:
    assert verdict(reverse_path) is suspect
    assert not verdict(reverse_path, STRANGER._replace(is_authenticated=True))


@pytest.mark.parametrize("path", ["s@a.example", "s@sister.example"])
def test_a_domains_own_hosts_are_believed_and_a_network_of_everybody_is_not_one(path: str) -> None:
    assert not verdict(path, STRANGER._replace(address=ip_address("198.51.100.7")))
    assert verdict(path, STRANGER._replace(address=ip_address("198.51.101.7")))
    assert verdict(path, STRANGER._replace(address=ip_address("2001:db8::1")))


@pytest.mark.parametrize(
    ("hello", "address", "suspect"),
    [
        ("MX2.example.net.", "192.0.2.1", True),
        ("mx2.example.net", "127.0.0.1", False),
        ("mx2.example.net", "::1", False),
        ("mx3.example.net", "192.0.2.1", False),
        ("", "192.0.2.1", False),
    ],
)
def test_a_client_with_our_name_is_not_believed(hello: str, address: str, suspect: bool) -> None:
    assert verdict("s@elsewhere.example", ClientFacts(ip_address(address), hello, OURS)) is suspect


def test_suspicion_costs_a_message_nothing_but_its_reports(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.peer = ip_address("203.0.113.99")
    smtp.connect(has_tls=True)
    smtp.send(
        b"MAIL FROM:<boss@a.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n"
    )
    smtp.send(b"MAIL FROM:<s@s.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n")
    assert [held.envelope.is_suspect for held in smtp.held("a.example")] == [True, False]
    [checked] = smtp.log.of(MailChecked)
    assert checked["notes"] == ("suspicion: the reverse-path is of the recipient's own server",)


def test_a_login_is_believed(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.peer = ip_address("203.0.113.99")
    smtp.connect(has_tls=True)
    smtp.send(f"AUTH PLAIN {initial_response('alpha')}\r\n".encode())
    smtp.send(
        b"MAIL FROM:<boss@a.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n"
    )
    [held] = smtp.held("a.example")
    assert not held.envelope.is_suspect


@pytest.mark.parametrize(
    ("reverse_path", "address", "is_put_off"),
    [
        ("s@a.example", "192.0.2.1", True),
        ("s@sister.example", "192.0.2.1", True),
        ("s@elsewhere.example", "192.0.2.1", False),
        ("s@a.example", "198.51.100.7", False),
        ("root@web1", "192.0.2.1", False),
        ("", "192.0.2.1", False),
    ],
)
def test_mail_of_the_own_domain_from_outside_is_put_off_where_the_domain_wants_that(
    reverse_path: str, address: str, is_put_off: bool
) -> None:
    live = LiveDirectory(MemoryStore().records)
    live.now = DIRECTORY
    hosted = replace(HOSTED, policy=Policy(own_domain=OwnDomainPolicy.DEFER))
    mailbox = split_mailbox(reverse_path) if reverse_path else None
    for hello in ("mail.elsewhere.example", OURS):
        client = STRANGER._replace(address=ip_address(address), hello=hello)
        facts = ExaminedRecipient(client, mailbox, Mailbox("one", "a.example"), hosted)
        verdict = SuspicionCheck(live).recipient(facts)
        assert isinstance(verdict, CheckRefused) is is_put_off
        if isinstance(verdict, CheckRefused):
            assert str(verdict.reply) == "450 4.7.1 Not now: mail of this domain from outside"
