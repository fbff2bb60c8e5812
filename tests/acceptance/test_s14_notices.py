"""Notices: to an HTTP receiver that checks signatures, and to the Postfix of the public MX."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email import message_from_bytes
from typing import Final

import pytest
from cryptography import x509

from tests.acceptance.hanging_receiver import HangingReceiver
from tests.acceptance.installation import HOSTNAME, Installation, at
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import PATIENCE, eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session
from tests.acceptance.webhook_receiver import HOST, PATH, WebhookReceiver

AWAY: Final = "127.0.0.1:9"
QUICK: Final = "[notices]\nfirst_retry = 0.2\nlongest_retry = 1.0\n"
OPS: Final = "ops@noc.example"


@pytest.fixture
def restante() -> Iterator[Installation]:
    """An installation that tries notices again soon."""
    with Installation(more=QUICK) as restante:
        yield restante


def listen(restante: Installation, receiver: WebhookReceiver, *options: str) -> None:
    """Add a webhook, its URL by standard input, and hand the receiver the key."""
    added = restante.run("notice", "add", "hook", "--webhook", "-", *options, typed=receiver.url)
    assert added.returncode == 0, added.stderr
    receiver.key = added.stdout.strip()


def test_the_first_mail_after_quiet_is_told_to_its_account_and_to_no_other(
    restante: Installation,
) -> None:
    with WebhookReceiver() as receiver, WebhookReceiver() as stranger:
        restante.start()
        for domain, account in (("alpha.example", "alpha"), ("beta.example", "beta")):
            restante.hosts(domain, AWAY, account=account)
        listen(restante, receiver, "--account", "alpha")
        listen(restante, stranger, "--account", "beta", "--only", "mail-after-quiet")
        for _ in range(3):
            send(restante.mx, "reader@alpha.example", content=message("one of three"))
        [notice] = receiver.wait_for(1)
        restante.wait_for_event("notice-sent")
        send(restante.mx, "reader@beta.example", content=message("to another"))
        [other] = stranger.wait_for(1)

    facts = {
        name: notice.facts[name] for name in ("type", "server", "account", "about", "held_back")
    }
    assert facts == {
        "type": "mail-after-quiet",
        "server": HOSTNAME,
        "account": "alpha",
        "about": "alpha.example",
        "held_back": 0,
    }
    assert notice.id == notice.facts["id"] != other.id
    assert (other.facts["account"], other.facts["about"]) == ("beta", "beta.example")
    assert "alpha" not in str(other.facts)
    assert (len(receiver.taken), receiver.refused, stranger.refused) == (1, [], [])


def test_a_notice_survives_a_kill_and_keeps_its_key(restante: Installation) -> None:
    """The receiver is off when the server is killed; it is on when the server starts again."""
    receiver = WebhookReceiver()
    restante.start()
    restante.hosts("alpha.example", AWAY)
    listen(restante, receiver, "--account", "alpha")
    send(restante.mx, "reader@alpha.example", content=message("held"))
    tried = restante.wait_for_event("notice-deferred")
    [waiting] = restante.shown("notice", "show-waiting")
    restante.kill()
    [still] = restante.shown("notice", "show-waiting", "--account", "alpha")
    assert still["id"] == waiting["id"] == tried["notice"]
    assert "onnect" in still["reply"]
    with receiver:
        restante.start()
        [notice] = receiver.wait_for(1)
        restante.wait_for_event("notice-sent")
        assert notice.id == waiting["id"]
        assert restante.shown("notice", "show-waiting") == []
        restante.stop()
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("transport", ["webhook", "apprise"])
def test_a_receiver_that_hangs_keeps_no_server_from_ending(transport: str) -> None:
    """It answers endlessly, a little at a time; the server is stopped in the middle of that."""
    with HangingReceiver() as receiver, Installation(more="[notices]\ntimeout = 300\n") as restante:
        restante.start()
        restante.hosts("alpha.example", AWAY)
        whose = ("--account", "alpha") if transport == "webhook" else ("--all-accounts",)
        url = receiver.url(transport)
        restante.do("notice", "add", "slow", *whose, f"--{transport}", "-", typed=url)
        send(restante.mx, "reader@alpha.example", content=message("held"))
        assert receiver.asked.wait(PATIENCE)
        restante.stop()
        assert receiver.left.wait(PATIENCE)
        [waiting] = restante.shown("notice", "show-waiting")
        assert (waiting["channel"], waiting["about"]) == ("slow", "alpha.example")


def test_a_webhooks_name_is_asked_of_the_name_servers_that_are_set(names: NameServer) -> None:
    with WebhookReceiver() as receiver, Installation(more=f"{QUICK}{names.settings}") as restante:
        names.records = {"hook.noc.example": {"A": [HOST]}}
        url = receiver.url.replace(HOST, "hook.noc.example")
        receiver.key = restante.do(
            "notice", "add", "hook", "--webhook", "-", "--insecure", typed=url
        ).strip()
        assert (
            restante.do("notice", "test", "hook") == "notice channel hook: sent: 204 No Content\n"
        )


def test_an_answer_that_is_lost_brings_the_notice_again_under_the_same_key(
    restante: Installation,
) -> None:
    """As after a crash between the sending and the settling; the receiver knows it by its key."""
    with WebhookReceiver() as receiver:
        receiver.answer = 503
        restante.start()
        restante.hosts("alpha.example", AWAY)
        listen(restante, receiver, "--account", "alpha")
        send(restante.mx, "reader@alpha.example", content=message("held"))
        receiver.wait_for(2)
        receiver.answer = 200
        restante.wait_for_event("notice-sent")
        assert len({notice.id for notice in receiver.taken}) == 1
        assert restante.events("notice-deferred")[0]["reply"] == "503 Service Unavailable"


@pytest.mark.parametrize("is_running", [True, False])
def test_waiting_notices_are_signed_with_the_newest_key(
    restante: Installation, is_running: bool
) -> None:
    """The receiver is off when the key is changed; it knows the new one alone when it is on."""
    receiver = WebhookReceiver()
    restante.start()
    restante.hosts("alpha.example", AWAY)
    listen(restante, receiver, "--account", "alpha")
    send(restante.mx, "reader@alpha.example", content=message("held"))
    tried = restante.wait_for_event("notice-deferred")
    if not is_running:
        restante.stop()
    changing = ("notice", "set", "hook", "--account", "alpha", "--reason", "the old one was lost")
    old, receiver.key = receiver.key, restante.do(*changing, "--new-key").strip()
    with receiver:
        if not is_running:
            restante.start()
        [notice] = receiver.wait_for(1)
        restante.wait_for_event("notice-sent")
    assert notice.id == tried["notice"]
    assert (len(receiver.taken), receiver.refused) == (1, [])
    trail = restante.do("audit", "--json")
    changed = next(
        entry for entry in json.loads(trail) if entry["action"] == "notice-channel-changed"
    )
    assert changed["reason"] == "the old one was lost"
    assert {"field": "sealed secret", "before": "set", "after": "replaced"} in changed["changes"]
    assert old != receiver.key
    assert receiver.key not in trail + restante.log_tail()


def test_waiting_notices_go_to_the_changed_channel_at_once() -> None:
    """It would be tried again in an hour."""
    with Installation(more="[notices]\nfirst_retry = 3600\n") as restante:
        wrong = WebhookReceiver()
        restante.start()
        restante.hosts("alpha.example", AWAY)
        listen(restante, wrong, "--account", "alpha")
        send(restante.mx, "reader@alpha.example", content=message("held"))
        tried = restante.wait_for_event("notice-deferred")
        with WebhookReceiver() as right:
            right.key = wrong.key
            changing = (
                "notice",
                "set",
                "hook",
                "--account",
                "alpha",
                "--reason",
                "they have moved",
            )
            restante.do(*changing, "--webhook", "-", typed=right.url)
            [notice] = right.wait_for(1)
            restante.wait_for_event("notice-sent")
        assert notice.id == tried["notice"]
        assert right.refused == []


@pytest.mark.parametrize("is_running", [True, False])
def test_a_test_says_how_it_went_and_nothing_secret_is_shown(
    restante: Installation, is_running: bool
) -> None:
    if is_running:
        restante.start()
    receiver = WebhookReceiver()
    listen(restante, receiver)
    failed = restante.run("notice", "test", "hook")
    assert failed.returncode == 69
    assert failed.stderr.startswith("restante: notice channel hook: not sent: ")
    assert "onnect" in failed.stderr
    with receiver:
        assert (
            restante.do("notice", "test", "hook") == "notice channel hook: sent: 204 No Content\n"
        )
    [notice] = receiver.taken
    assert (notice.facts["type"], notice.facts["account"]) == ("test", "")
    shown = [
        restante.do("notice", "list"),
        restante.do("notice", "list", "--json"),
        restante.do("audit", "--json"),
    ]
    said = "".join([failed.stderr, *shown, restante.log_tail()])
    assert f"http://{HOST}:{receiver.port}/…" in said
    assert PATH not in said
    assert receiver.key not in said
    assert receiver.key.encode() not in restante.stored_octets()


@pytest.fixture
def noc(names: NameServer) -> Iterator[Primary]:
    """The mail server of the operator's own domain, which only its MX record leads to."""
    [address] = addresses(1)
    with PostfixPrimary(
        ["noc.example"], address=address, port=free_port(address), hostname="mx.noc.example"
    ) as noc:
        names.records = {
            "noc.example": {"MX": ["10 mx.noc.example."]},
            "mx.noc.example": {"A": [noc.address]},
        }
        yield noc


def test_a_notice_is_mailed_by_the_public_mx(names: NameServer, noc: Primary) -> None:
    """The mail server is off at first."""
    settings = f"{QUICK}{names.settings}\n[reports]\nport = {noc.port}\n"
    with Installation(more=settings) as restante:
        restante.start()
        restante.hosts("alpha.example", AWAY)
        restante.do("notice", "add", "mail", "--mail", OPS, "--all-accounts")
        send(restante.mx, "reader@alpha.example", content=message("held"))
        restante.wait_for_event("notice-deferred", transport="mail")
        noc.start()
        [raw] = noc.wait_for(1)
        sent = restante.wait_for_event("notice-sent", transport="mail")
        restante.stop()
        tried = restante.do("notice", "test", "mail")  # by the command itself
        assert tried.startswith("notice channel mail: sent: 250 ")
        assert any(b"Subject: [restante] test: mail" in one for one in noc.wait_for(2))

    mail = message_from_bytes(raw)
    assert not mail.defects
    assert mail["Return-Path"] == "<>"
    assert mail["To"] == f"<{OPS}>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "[restante] mail-after-quiet: alpha.example"
    assert mail["Message-ID"] == f"<{sent['notice']}@{HOSTNAME}>"
    assert mail.get_content_type() == "text/plain"
    assert "Mail came for alpha.example" in str(mail.get_payload())


def test_notices_are_never_mailed_to_a_domain_that_is_hosted_here(restante: Installation) -> None:
    """Refused when the channel is added, or when the domain comes later: nothing is sent."""
    restante.start()
    restante.hosts("alpha.example", AWAY)
    refused = restante.run(
        "notice", "add", "mail", "--mail", "ops@Alpha.Example", "--account", "alpha"
    )
    assert refused.returncode == 65
    assert refused.stderr == (
        "restante: notice channel mail: mail to ops@alpha.example is held here, so its notices"
        " would be held too; name an address in a domain that is not hosted here\n"
    )
    restante.do("notice", "add", "mail", "--mail", "ops@beta.example", "--account", "alpha")
    restante.hosts("beta.example", AWAY, account="beta")
    send(restante.mx, "reader@alpha.example", content=message("held"))
    given_up = restante.wait_for_event("notice-given-up")
    assert given_up["reply"] == "the address is in a domain whose mail is held here"
    eventually(lambda: restante.shown("notice", "show-waiting") == [], what="the notice to be gone")
    assert restante.held("beta.example") == 0


def test_the_life_of_a_domains_mail_is_told_in_its_order() -> None:
    """Mail comes, its primary is away, returns and gets all of it; then somebody guesses."""
    settings = f"{QUICK}[reception]\nfailures_until_refusal = 2\n"
    probes = {"probe_pause": 0.2, "longest_probe_pause": 0.5}
    with (
        Installation(delivery=probes, more=settings) as restante,
        PostfixPrimary(["alpha.example"]) as primary,
        WebhookReceiver() as receiver,
    ):
        restante.start()
        restante.hosts("alpha.example", at(primary), "--hold", "on-return")
        listen(restante, receiver, "--account", "alpha")
        send(restante.mx, "reader@alpha.example", content=message("held"))
        receiver.wait_for(2)
        primary.start()
        receiver.wait_for(4)
        for _ in range(10):
            with Session(restante.smtps, source="127.0.13.1") as session:
                assert session.authenticate(Login("alpha", "a guess"))[:3] in (b"535", b"454")
        receiver.wait_for(5)

    assert receiver.refused == []
    told = [(notice.facts["type"], notice.facts["about"]) for notice in receiver.taken]
    assert told == [
        ("mail-after-quiet", "alpha.example"),
        ("primary-away", at(primary)),
        ("primary-back", at(primary)),
        ("drain-finished", "alpha.example"),
        ("authentication-burst", "login alpha"),
    ]
    assert receiver.taken[4].facts["details"]["peer"] == "127.0.13.1"


def test_withheld_notices_are_sent_as_one_after_an_hour() -> None:
    """Three drains end within the hour, despite a restart: one notice at once, one for two more."""
    domain, hour = "alpha.example", 3600.0
    with (
        Installation(more=QUICK) as restante,
        PostfixPrimary([domain]) as primary,
        WebhookReceiver(tolerance=2 * hour) as receiver,
    ):
        restante.ahead(0)
        restante.start()
        primary.start()
        restante.hosts(domain, at(primary))
        listen(restante, receiver, "--account", "alpha", "--only", "drain-finished")
        for count in (1, 2, 3):
            send(restante.mx, f"reader@{domain}", content=message(f"number {count}"))
            restante.do("release", domain)
            eventually(
                lambda: len(restante.events("drain-finished")) == count,  # noqa: B023
                what="the drain to end",
            )
            restante.wait_for_event("notice-sent")  # of the first one; the others are withheld
        restante.stop()
        restante.ahead(hour - 60)
        restante.start()
        assert restante.shown("notice", "show-waiting") == []
        restante.stop()
        restante.ahead(hour + 60)
        restante.start()
        first, summary = receiver.wait_for(2)
        restante.wait_for_event("notice-sent", notice=summary.id)

    assert [first.facts["held_back"], summary.facts["held_back"]] == [0, 1]
    assert summary.facts["about"] == domain
    assert (len(receiver.taken), receiver.refused) == (2, [])


def test_settings_of_notices_are_read_again_on_reload() -> None:
    """A webhook that is away is retried in an hour; after the operator's change, at once."""
    with Installation(more="[notices]\nfirst_retry = 3600\n") as restante:
        receiver = WebhookReceiver()
        restante.start()
        restante.hosts("alpha.example", AWAY)
        listen(restante, receiver, "--account", "alpha")
        restante.config.write_text(
            restante.config.read_text().replace("first_retry = 3600", "first_retry = 0.2")
        )
        restante.reload()
        send(restante.mx, "reader@alpha.example", content=message("held"))
        restante.wait_for_event("notice-deferred")
        with receiver:
            receiver.wait_for(1)
            restante.wait_for_event("notice-sent")


def test_that_the_certificate_ends_is_told_to_the_operator_a_step_at_a_time() -> None:
    """Two weeks ahead, and each further step; not again after a restart."""
    day = 86400.0
    with (
        Installation(more=QUICK) as restante,
        WebhookReceiver(tolerance=1e11) as receiver,
    ):  # the year is 3000
        end = x509.load_pem_x509_certificate(
            (restante.directory / "tls/cert.pem").read_bytes()
        ).not_valid_after_utc
        ahead = end.timestamp() - time.time()
        restante.has_account("alpha")
        listen(restante, receiver)
        for days, count in ((15, 0), (13, 1), (13, 1), (6, 2), (0.5, 3), (-1, 4)):
            restante.ahead(ahead - days * day)
            restante.start()
            assert len(receiver.wait_for(count)) == count
            eventually(
                lambda: restante.shown("notice", "show-waiting") == [],
                what="the notice to be recorded",
            )
            restante.stop()
        assert [notice.facts["type"] for notice in receiver.taken] == ["certificate-expiring"] * 4
        assert [notice.facts["details"]["days"] for notice in receiver.taken] == [14, 7, 1, 0]
        assert {notice.facts["account"] for notice in receiver.taken} == {""}


def test_refused_and_deferred_mail_is_announced_at_the_end_of_the_drain() -> None:
    """A real Postfix accepts one message, refuses one, and defers one until patience is over."""
    domain = "alpha.example"
    rejects = {
        f"gone@{domain}": "550 5.1.1 no mailbox of that name",
        f"later@{domain}": "450 4.2.1 not now",
    }
    with (
        Installation(delivery={"patience": 0.5}, more=QUICK) as restante,
        PostfixPrimary([domain], rejects=rejects) as primary,
        WebhookReceiver() as receiver,
    ):
        restante.start()
        primary.start()
        restante.hosts(domain, at(primary))
        listen(
            restante,
            receiver,
            "--account",
            "alpha",
            "--only",
            "drain-given-up",
            "--only",
            "delivery-refused",
        )
        for name in ("there", "gone", "later"):
            send(restante.mx, f"{name}@{domain}", content=message(f"to {name}"))
        restante.do("release", domain)
        told = {notice.facts["type"]: notice.facts["details"] for notice in receiver.wait_for(2)}
        restante.wait_for_event("notice-sent")

    assert set(told) == {"drain-given-up", "delivery-refused"}
    assert {
        name: told["delivery-refused"][name] for name in ("domain", "delivered", "refused")
    } == {
        "domain": domain,
        "delivered": 1,
        "refused": 1,
    }
    assert told["drain-given-up"]["held"] == 1


def test_a_primary_that_refuses_everything_is_told_of_once() -> None:
    domain, broken = "alpha.example", {"smtpd_recipient_restrictions": "reject"}
    with (
        Installation(delivery={"refusals_limit": 3}, more=QUICK) as restante,
        PostfixPrimary([domain], settings=broken) as primary,
        WebhookReceiver() as receiver,
    ):
        restante.start()
        primary.start()
        restante.hosts(domain, at(primary), "--connections", "1")
        listen(restante, receiver, "--account", "alpha", "--only", "destination-refuses")
        for number in range(6):
            send(restante.mx, f"reader@{domain}", content=message(f"number {number}"))
        restante.do("release", domain)
        [notice] = receiver.wait_for(1)
        restante.wait_for_event("notice-sent")

    assert notice.facts["about"] == domain
    assert at(primary) in notice.facts["text"]
