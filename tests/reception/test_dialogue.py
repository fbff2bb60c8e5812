"""Reception on the wire: accepted mail, its recipients, and refusals."""

import base64
import hashlib
import hmac

import pytest

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.message import message_name
from restante.reception.reception_settings import ReceptionSettings
from restante.smtp.session_end import SessionEnd
from restante.store.store_errors import StoreError
from restante.telemetry.events import MailLoops, RecipientRefused
from restante.tenancy.policy import ProofPolicy
from tests.wire import CHALLENGE, NOW, PASSWORD, Wire, initial_response

FIRST = message_name(int(NOW * 1_000_000))


def test_mail_for_a_hosted_domain_is_held_with_one_received_line(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.transcript(
        """
        C: MAIL FROM:<sender@elsewhere.example>
        S: 250 2.1.0 OK
        C: RCPT TO:<User@A.example>
        S: 250 2.1.5 OK
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: hello
        C:
        C: ..
        C: .
        S: 250 2.0.0 OK, held as {name}
    """,
        name=FIRST,
    )
    (message,) = smtp.held("a.example")
    assert message.envelope.reverse_path == "sender@elsewhere.example"
    assert message.envelope.forward_paths == ("User@A.example",)
    assert message.head == (
        b"Received: from client.example ([192.0.2.10])\r\n"
        b"\tby mx2.example.net with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id "
        + FIRST.encode()
        + b"\r\n"
        b"\tfor <User@A.example>;\r\n"
        b"\tFri, 15 Jan 2027 08:00:00 +0000\r\n"
        b"Subject: hello\r\n\r\n.\r\n"
    )


def test_a_domain_that_is_not_hosted_is_refused_for_good(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.transcript("""
        C: MAIL FROM:<>
        S: 250 2.1.0 OK
        C: RCPT TO:<x@b.example>
        S: 550 5.7.1 The domain is not hosted here
        C: RCPT TO:<x@sub.a.example>
        S: 550 5.7.1 The domain is not hosted here
        C: RCPT TO:<x@[192.0.2.1]>
        S: 550 5.7.1 The domain is not hosted here
        C: RCPT TO:<@a.example:x@b.example>
        S: 550 5.7.1 The domain is not hosted here
        C: DATA
        S: 503 5.5.1 Bad sequence of commands
    """)
    assert len(smtp.log.of(RecipientRefused)) == 4


def test_a_message_to_two_accounts_is_two_that_know_nothing_of_each_other(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.hosts("b.example", account="beta")
    smtp.send(
        b"MAIL FROM:<>\r\n"
        b"RCPT TO:<one@a.example>\r\n"
        b"RCPT TO:<two@b.example>\r\n"
        b"RCPT TO:<three@a.example>\r\n"
        b"RCPT TO:<one@a.example>\r\n"
        b"DATA\r\n"
        b"Subject: x\r\n"
        b".\r\n"
    )
    (for_a,), (for_b,) = smtp.held("a.example"), smtp.held("b.example")
    assert for_a.envelope.forward_paths == ("one@a.example", "three@a.example")
    assert for_b.envelope.forward_paths == ("two@b.example",)
    assert for_a.head == for_b.head
    assert b"@" not in for_a.head.partition(b"Subject")[0]  # no address of the other in Received


def test_dsn_parameters_are_kept_and_show_no_recipient_of_another_account(
    smtp: Wire,
) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.hosts("b.example", account="beta")
    smtp.send(
        b"MAIL FROM:<s@s.example> ENVID=QQ314\r\n"
        b"RCPT TO:<one@a.example> NOTIFY=SUCCESS ORCPT=rfc822;first@a.example\r\n"
        b"RCPT TO:<two@b.example>\r\n"
        b"DATA\r\n"
        b"Subject: x\r\n"
        b".\r\n"
    )
    (for_a,), (for_b,) = smtp.held("a.example"), smtp.held("b.example")
    asked = RecipientRequest(Notify.SUCCESS, "rfc822;first@a.example")
    assert for_a.envelope.dsn == DsnRequest(None, "QQ314", {"one@a.example": asked})
    assert for_b.envelope.dsn == DsnRequest(None, "QQ314")


def test_a_message_of_which_nothing_was_asked_has_no_request(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.send(b"MAIL FROM:<s@s.example>\r\nRCPT TO:<one@a.example>\r\nDATA\r\nSubject: x\r\n.\r\n")
    (held,) = smtp.held("a.example")
    assert held.envelope.dsn is None


@pytest.mark.parametrize("path", ["postmaster", "Postmaster", "POSTMASTER@mx2.example.net"])
def test_our_own_postmaster_has_a_mailbox_once_it_is_set(path: str) -> None:
    smtp = Wire(ReceptionSettings(postmaster="ops@a.example"))
    smtp.transcript("C: MAIL FROM:<>\nS: 250 2.1.0 OK")
    smtp.transcript(
        "C: RCPT TO:<{path}>\nS: 451 4.3.5 No postmaster mailbox is set here yet, try again later",
        path=path,
    )
    smtp.hosts("a.example")
    smtp.transcript("C: RCPT TO:<{path}>\nS: 250 2.1.5 OK", path=path)
    smtp.send(b"DATA\r\nSubject: help\r\n.\r\n")
    assert smtp.held("a.example")[0].envelope.forward_paths == ("ops@a.example",)
    smtp.close()


def test_large_content_goes_through_a_spool(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.hosts("b.example", account="beta")
    body = b"".join(b"%06d 0123456789 0123456789 0123456789\r\n" % line for line in range(20000))
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<one@a.example>\r\nRCPT TO:<two@b.example>\r\nDATA\r\n")
    for place in range(0, len(body), 10000):
        smtp.send(body[place : place + 10000])
    smtp.send(b".\r\n")
    assert smtp.session.data_to_send().splitlines()[-1].startswith(b"250 2.0.0 OK, held as")
    for domain in ("a.example", "b.example"):
        (message,) = smtp.held(domain)
        assert message.file is not None
        assert message.head.startswith(b"Received: ")
        assert smtp.run(_read(smtp, message.file)) == body


async def _read(smtp: Wire, file: object) -> bytes:
    return b"".join([block async for block in smtp.store.content.read_file(file)])  # type: ignore[arg-type]


def test_a_store_that_fails_is_451_and_the_session_lives_on(
    smtp: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("disk full")

    smtp.hosts("a.example")
    mail = b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\nx\r\n.\r\n"
    with monkeypatch.context() as patch:
        patch.setattr(smtp.store.reception, "hold", fail)
        smtp.send(mail)
    assert smtp.session.data_to_send().endswith(
        b"451 4.3.0 Cannot store mail now, try again later\r\n"
    )
    smtp.send(mail)
    assert b"250 2.0.0 OK, held as" in smtp.session.data_to_send()
    assert len(smtp.held("a.example")) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"bare\nnewline\r\n", b"Content has a CR or LF that stands alone"),
        (b"bare\rnewline and \0\r\n", b"Content has a CR or LF that stands alone"),
        (b"octet \0\r\n", b"Content has a NUL octet"),
    ],
)
@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
def test_flaws_in_content_are_refused_where_the_operator_says_so(
    content: bytes, words: bytes, by_bdat: bool
) -> None:
    smtp = Wire(ReceptionSettings(bare_newlines="reject"))
    smtp.hosts("a.example")
    verb = (
        b"BDAT %d LAST\r\n%s" % (len(content), content)
        if by_bdat
        else b"DATA\r\n" + content + b".\r\n"
    )
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\n" + verb)
    assert smtp.session.data_to_send().endswith(b"550 5.6.0 " + words + b"\r\n")
    assert smtp.held("a.example") == []
    smtp.close()


@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("passes", [3, 4])
@pytest.mark.parametrize("octets", [10, 400_000], ids=["small", "large"])
def test_mail_that_came_back_too_often_is_deferred_and_reported_for_each_domain(
    passes: int, octets: int, *, by_bdat: bool
) -> None:
    smtp = Wire()
    smtp.hosts("a.example", account="alpha")
    smtp.hosts("b.example", account="beta")
    field = b"Received: from x ([192.0.2.9])\r\n\tby mx2.example.net with ESMTP id x;\r\n\tnow\r\n"
    content = field * passes + b"Subject: x\r\n\r\n" + b"y" * octets + b"\r\n"
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nRCPT TO:<y@b.example>\r\n")
    if by_bdat:
        smtp.send(b"BDAT %d\r\n%s" % (100, content[:100]))
        smtp.send(b"BDAT %d LAST\r\n%s" % (len(content) - 100, content[100:]))
    else:
        smtp.send(b"DATA\r\n" + content + b".\r\n")
    replies = smtp.session.data_to_send()
    told = [
        tuple(one[name] for name in ("domain", "account", "peer", "passes"))
        for one in smtp.log.of(MailLoops)
    ]
    if passes > 3:
        assert replies.endswith(
            b"451 4.4.6 Mail loop: the message was here before, try again later\r\n"
        )
        assert told == [
            ("a.example", "alpha", "192.0.2.10", 4),
            ("b.example", "beta", "192.0.2.10", 4),
        ]
        assert smtp.held("a.example") == smtp.held("b.example") == []
    else:
        assert (told, len(smtp.held("a.example"))) == ([], 1)
    smtp.close()


def test_a_domain_that_is_not_proven_yet_is_not_ready_and_a_proven_one_is(smtp: Wire) -> None:
    smtp.hosts("a.example", proof=ProofPolicy.TXT)
    smtp.hosts("b.example", proof=ProofPolicy.TXT, proven_at=1.0)
    smtp.transcript("""
        C: MAIL FROM:<>
        S: 250 2.1.0 OK
        C: RCPT TO:<x@a.example>
        S: 451 4.7.1 The domain is not ready here yet, try again later
        C: RCPT TO:<x@b.example>
        S: 250 2.1.5 OK
    """)


def test_by_default_a_nul_is_taken_out(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\none\r\n\0.\0\r\ntwo\r\n.\r\n")
    assert b"250 2.0.0 OK, held as" in smtp.session.data_to_send()
    (message,) = smtp.held("a.example")
    assert message.head.endswith(b"\r\none\r\n.\r\ntwo\r\n")


def test_mail_submitted_by_a_client_that_vanishes_is_held_all_the_same(smtp: Wire) -> None:
    smtp.hosts("a.example")

    async def vanish() -> None:
        smtp.session.receive_data(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\nx\r\n.\r\n")
        smtp.dialogue.advance()
        smtp.dialogue.abandon()
        await smtp._empty_intake()

    smtp.run(vanish())
    assert len(smtp.held("a.example")) == 1


def test_smtputf8_addresses_and_domains(smtp: Wire) -> None:
    smtp.hosts("xn--mnchen-3ya.example")
    smtp.transcript("""
        C: MAIL FROM:<jürgen@köln.example> SMTPUTF8
        S: 250 2.1.0 OK
        C: RCPT TO:<bürgermeister@MÜNCHEN.example>
        S: 250 2.1.5 OK
    """)
    smtp.send(b"DATA\r\nx\r\n.\r\n")
    (message,) = smtp.held("xn--mnchen-3ya.example")
    assert message.envelope.needs_smtputf8
    assert b"with UTF8SMTPS " in message.head


def test_addresses_outside_ascii_are_taken_without_the_parameter(smtp: Wire) -> None:
    """Stock primaries take them from such clients: refused here, the mail would be bounced."""
    smtp.hosts("a.example")
    smtp.transcript("""
        C: MAIL FROM:<jürgen@köln.example>
        S: 250 2.1.0 OK
        C: RCPT TO:<bürgermeister@a.example>
        S: 250 2.1.5 OK
    """)
    smtp.send(b"DATA\r\nx\r\n.\r\n")
    (message,) = smtp.held("a.example")
    assert message.envelope.reverse_path == "jürgen@köln.example"
    assert b"with ESMTPS " in message.head


class TestAuthentication:
    def test_cram_md5(self, smtp: Wire) -> None:
        smtp.hosts("a.example")
        digest = hmac.new(PASSWORD.encode(), CHALLENGE, hashlib.md5).hexdigest()
        response = base64.b64encode(f"alpha {digest}".encode()).decode()
        smtp.send(b"AUTH CRAM-MD5\r\n")
        smtp.session.data_to_send()
        smtp.transcript("C: {response}\nS: 235 2.7.0 Authentication successful", response=response)

    def test_a_wrong_digest_and_an_unknown_login_sound_the_same(self, smtp: Wire) -> None:
        smtp.hosts("a.example")
        for user in ("alpha", "nobody"):
            response = base64.b64encode(f"{user} {'0' * 32}".encode()).decode()
            smtp.send(b"AUTH CRAM-MD5\r\n")
            smtp.session.data_to_send()
            smtp.transcript(
                "C: {response}\nS: 535 5.7.8 Authentication credentials invalid", response=response
            )

    def test_too_many_failures_end_the_session(self, smtp: Wire) -> None:
        smtp.hosts("a.example")
        smtp.transcript(
            """
            C: AUTH PLAIN {wrong}
            S: 535 5.7.8 Authentication credentials invalid
            C: AUTH PLAIN {nobody}
            S: 535 5.7.8 Authentication credentials invalid
            C: AUTH PLAIN {wrong}
            S: 535 5.7.8 Authentication credentials invalid
            S: 421 4.7.0 mx2.example.net saw too many errors, closing connection
            """,
            wrong=initial_response("alpha", "wrong"),
            nobody=initial_response("nobody"),
        )
        assert smtp.session.end is SessionEnd.FAILED_AUTHENTICATIONS

    def test_no_password_reaches_the_log(self, smtp: Wire) -> None:
        smtp.hosts("a.example")
        smtp.send(f"AUTH PLAIN {initial_response('alpha')}\r\n".encode())
        smtp.send(f"AUTH PLAIN {initial_response('alpha')}\r\n".encode())
        assert PASSWORD not in repr(smtp.log.lines)
        assert initial_response("alpha") not in repr(smtp.log.lines)


def test_content_in_flight_is_bounded_and_goes_to_disk_sooner_under_pressure() -> None:
    smtp = Wire()
    smtp.hosts("a.example")
    smtp.memory_budget.limit = 10_000
    body = b"0123456789012345678901234567890123456789\r\n" * 1000
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n")
    for place in range(0, len(body), 3000):
        smtp.send(body[place : place + 3000])
        assert smtp.memory_budget.now <= 10_000 + 3000
    smtp.send(b".\r\n")
    (message,) = smtp.held("a.example")
    assert message.file is not None  # 42 KiB: it would have stayed in memory in quiet times
    assert smtp.run(_read(smtp, message.file)) == body
    assert smtp.memory_budget.now == 0
    smtp.close()


def test_nothing_stays_in_flight(smtp: Wire) -> None:
    smtp.hosts("a.example")
    for end in (b"x\r\n.\r\n", b"half", b""):
        smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n" + end)
        smtp.dialogue.abandon()
        smtp.connect(has_tls=True)
    assert smtp.memory_budget.now == 0
