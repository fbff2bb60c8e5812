"""Reports to senders, by a public MX that the test's name server gives, to a real Postfix."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import Message
from typing import Final

import pytest

from tests.acceptance.installation import HOSTNAME, Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import REVERSE_PATH, SENDER_DOMAIN, message
from tests.acceptance.test_s03_partial_success import release

NO_MAILBOX: Final = "550 5.1.1 no mailbox of that name"
DSN_TAKEN_UP: Final = (
    "sender delivery status notification"  # as Postfix logs the report that it makes itself
)


@pytest.fixture
def restante(names: NameServer, home: Primary) -> Iterator[Installation]:
    """An installation with little patience that sends its reports to that mail server's port."""
    reports = f"[reports]\nport = {home.port}\nfirst_retry = 0.2\nlongest_retry = 1.0\n"
    with Installation(delivery={"patience": 0.5}, more=f"{names.settings}\n{reports}") as restante:
        restante.start()
        yield restante


def send_asking(
    restante: Installation,
    to: str,
    *,
    mail: Sequence[str] = (),
    rcpt: Sequence[str] = (),
    content: bytes,
) -> None:
    """Send a message and say what is wanted of reports, with the standard library's client."""
    with smtplib.SMTP(restante.mx.host, restante.mx.port) as client:
        client.ehlo("client.sender.example")
        assert client.has_extn("dsn")
        assert client.sendmail(REVERSE_PATH, [to], content, mail, rcpt) == {}


def parts(raw: bytes) -> list[Message]:
    """Read a report as it lies in a mailbox, and return its parts."""
    report = message_from_bytes(raw)
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    assert report["Auto-Submitted"] == "auto-replied"
    assert not report.defects
    payload = report.get_payload()
    assert isinstance(payload, list)
    found = [part for part in payload if isinstance(part, Message)]
    assert [part.defects for part in found] == [[], [], []]
    return found


def fields(part: Message) -> dict[str, str]:
    """Return the fields of a delivery-status part, its groups in one."""
    assert part.get_content_type() == "message/delivery-status"
    groups = part.get_payload()
    assert isinstance(groups, list)
    return {
        name: str(value)
        for group in groups
        if isinstance(group, Message)
        for name, value in group.items()
    }


def test_mail_refused_by_a_primary_is_bounced_to_the_senders_mx(
    restante: Installation, home: Primary
) -> None:
    """Refused by a real primary, bounced by the operator, reported to the real MTA of the MX."""
    to = "nobody@refusing.example"
    with PostfixPrimary(["refusing.example"], rejects={to: NO_MAILBOX}) as primary:
        primary.start()
        restante.hosts("refusing.example", at(primary))
        send_asking(
            restante,
            to,
            mail=["RET=FULL", "ENVID=QQ+2B314"],
            rcpt=["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{to}"],
            content=message("to nobody"),
        )
        release(restante, "refusing.example")
        [queued] = restante.shown("queue", "list", "refusing.example", "--status", "refused")
        assert not restante.events("report-made")

        home.start()
        done = restante.do(
            "queue", "bounce", queued["name"], "--yes", "--reason", "the mailbox will not come back"
        )
        assert done == "1 message bounced, 1 sender gets a report\n"
        [raw] = home.wait_for(1)

    words, status, returned = parts(raw)
    told = fields(status)
    assert told["Diagnostic-Code"].startswith(f"smtp; {NO_MAILBOX[:9]}")
    assert {
        name: told[name] for name in told if name not in ("Arrival-Date", "Diagnostic-Code")
    } == {
        "Original-Envelope-Id": "QQ+314",
        "Reporting-MTA": f"dns; {HOSTNAME}",
        "Original-Recipient": f"rfc822; {to}",
        "Final-Recipient": f"rfc822; {to}",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; [127.0.0.1]",
    }
    assert to in str(words.get_payload())
    assert returned.get_content_type() == "message/rfc822"
    assert "A plain line." in str(returned.get_payload(0))
    assert restante.held("refusing.example") == 0
    assert restante.shown("audit")[0]["action"] == "mail-bounced"
    assert restante.wait_for_event("report-sent")["domain"] == SENDER_DOMAIN


def test_a_report_survives_a_kill_and_arrives_once(restante: Installation, home: Primary) -> None:
    """The sender's server is off when the message is bounced, and during a crash of ours."""
    restante.hosts("gone.example", "127.0.0.1:9")
    send_asking(restante, "reader@gone.example", content=message("given up"))
    [queued] = restante.shown("queue", "list", "gone.example")
    restante.do("queue", "bounce", queued["name"], "--yes", "--reason", "the domain is gone")
    restante.wait_for_event("report-deferred")
    restante.kill()
    home.start()
    restante.start()

    [raw] = home.wait_for(1)
    _, status, returned = parts(raw)
    assert (fields(status)["Action"], fields(status)["Status"]) == ("failed", "5.4.7")
    assert returned.get_content_type() == "text/rfc822-headers"
    restante.wait_for_event("report-sent")
    restante.stop()
    restante.start()
    assert len(home.messages()) == 1
    assert len(restante.events("report-made")) == 1


def test_waiting_notices_are_shown_and_dropped_with_and_without_a_server(
    restante: Installation, home: Primary
) -> None:
    """The sender's server is off: reports are listed and survive a kill; one is dropped."""
    restante.hosts("waiting.example", "192.0.2.1")
    for number in range(2):
        send_asking(restante, f"{number}@waiting.example", content=message(f"number {number}"))
    restante.do("queue", "bounce", "--domain", "waiting.example", "--yes", "--reason", "over")
    eventually(
        lambda: restante.shown("report", "list")[0]["failures"] > 0,
        what="an attempt to have failed",
    )
    first, second = restante.shown("report", "list", "--domain", "waiting.example")
    assert (first["to"], first["action"], first["domain"]) == (
        REVERSE_PATH,
        "failed",
        "waiting.example",
    )
    assert "refused" in first["reply"]
    restante.kill()
    assert [one["number"] for one in restante.shown("report", "list")] == [
        first["number"],
        second["number"],
    ]
    assert "Final-Recipient: rfc822; 0@waiting.example" in restante.do(
        "report", "show", str(first["number"])
    )
    assert (
        restante.do("report", "drop", str(first["number"]), "--yes", "--reason", "forged")
        == "1 report dropped\n"
    )
    home.start()
    restante.start()
    [raw] = home.wait_for(1)
    assert fields(parts(raw)[1])["Final-Recipient"] == "rfc822; 1@waiting.example"
    eventually(lambda: restante.shown("report", "list") == [], what="nothing to wait any more")
    assert "reports-dropped" in {entry["action"] for entry in restante.shown("audit")}


def test_only_a_primary_that_does_not_report_makes_us_say_that_mail_was_relayed(
    restante: Installation, home: Primary
) -> None:
    """Two stock Postfixes: one has DSN and gets the request; for the other we send the report."""
    home.start()
    deaf_settings = {"smtpd_discard_ehlo_keywords": "dsn"}
    with (
        PostfixPrimary(["able.example"]) as able,
        PostfixPrimary(["deaf.example"], settings=deaf_settings) as deaf,
    ):
        for primary, domain in ((able, "able.example"), (deaf, "deaf.example")):
            primary.start()
            restante.hosts(domain, at(primary))
            send_asking(
                restante,
                f"reader@{domain}",
                rcpt=["NOTIFY=SUCCESS"],
                content=message(f"to {domain}"),
            )
            release(restante, domain)
            primary.wait_for(1)
        [raw] = home.wait_for(1)
        eventually(lambda: DSN_TAKEN_UP in able.log(), what="Postfix to take up what was asked")
        assert DSN_TAKEN_UP not in deaf.log()

    told = fields(parts(raw)[1])
    assert (told["Action"], told["Status"]) == ("relayed", "2.1.9")
    assert told["Final-Recipient"] == "rfc822; reader@deaf.example"
    assert len(restante.events("report-made")) == 1


def test_on_refusal_bounce_bounces_refused_mail_at_once(
    restante: Installation, home: Primary
) -> None:
    """Nothing is refused, and accepted mail is not reported."""
    domain = "bouncing.example"
    with PostfixPrimary([domain], rejects={f"nobody@{domain}": NO_MAILBOX}) as primary:
        primary.start()
        home.start()
        restante.hosts(domain, at(primary), "--on-refusal", "bounce")
        for name in ("nobody", "somebody"):
            send_asking(restante, f"{name}@{domain}", content=message(f"to {name}"))
        release(restante, domain)
        [raw] = home.wait_for(1)
        told = fields(parts(raw)[1])
        assert (told["Final-Recipient"], told["Action"]) == (f"rfc822; nobody@{domain}", "failed")
        assert told["Diagnostic-Code"].startswith(f"smtp; {NO_MAILBOX[:9]}")
        assert len(primary.wait_for(1)) == 1
        assert restante.held(domain) == 0
        restante.wait_for_event("report-sent")


def test_a_sender_that_asked_hears_once_that_mail_waits(names: NameServer, home: Primary) -> None:
    """After four hours, once. A sender that has not asked gets no report."""
    hour, domain = 3600.0, "late.example"
    reports = f"[reports]\nport = {home.port}\n"
    with Installation(more=f"{names.settings}\n{reports}") as restante:
        restante.ahead(0)
        restante.start()
        home.start()
        restante.hosts(domain, "127.0.0.1:9")
        send_asking(
            restante, f"asked@{domain}", rcpt=["NOTIFY=FAILURE,DELAY"], content=message("asked")
        )
        send_asking(
            restante, f"silent@{domain}", rcpt=["NOTIFY=FAILURE"], content=message("not asked")
        )
        for hours, count in ((3.9, 0), (4.1, 1), (30, 1)):
            restante.stop()
            restante.ahead(hours * hour)
            restante.start()
            reports_there = home.wait_for(count)
            assert len(reports_there) == count
        told = fields(parts(reports_there[0])[1])
        assert (told["Final-Recipient"], told["Action"]) == (f"rfc822; asked@{domain}", "delayed")
        assert "Will-Retry-Until" not in told, "mail is held for as long as it takes"
        assert restante.held(domain) == 2
        assert len(restante.events("report-made")) == 1
