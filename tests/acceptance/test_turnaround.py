"""ATRN: a primary that nobody can reach takes its mail on its own connection (RFC 2645)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.acceptance.installation import ALPHA, HOST, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.odmr_customer import OdmrCustomer
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.server import Server, Tls
from tests.acceptance.sample import message, send

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite", "postgres"], indirect=True)
ODMRS = """
[[listen]]
service = "odmrs"
address = "127.0.0.1:{port}"
"""
REFUSED = b"450 4.7.1 ATRN request refused\r\n"


@pytest.fixture(scope="module")
def odmrs_port() -> int:
    return free_port(HOST)


@pytest.fixture(scope="module")
def restante(store_kind: str, odmrs_port: int) -> Iterator[Installation]:
    """A server with a listener of each service."""
    with Installation(more=ODMRS.format(port=odmrs_port)) as restante:
        restante.start()
        restante.do("login", "set", "alpha", "alpha", "--turnaround")
        yield restante


@pytest.fixture
def odmrs(restante: Installation, odmrs_port: int) -> Server:
    return Server("localhost", odmrs_port, Tls.IMPLICIT, restante.authority)


_COUNT = iter(range(10_000))


def hosted(
    restante: Installation, *, turnaround: str = "allow", account: str = "alpha", held: int = 0
) -> str:
    """Host a domain with some held messages, and return its name."""
    domain = f"d{next(_COUNT)}.example"
    destination = f"{HOST}:{free_port(HOST)}"  # nobody listens there
    restante.hosts(domain, destination, "--turnaround", turnaround, account=account)
    hold(restante, domain, held)
    return domain


def hold(restante: Installation, domain: str, count: int) -> None:
    for number in range(count):
        content = message(f"{domain} {number}")
        assert send(restante.mx, f"reader@{domain}", content=content).returncode == 0


def turns_of(restante: Installation) -> list[dict[str, Any]]:
    """Return the entries in the trail about turnarounds, newest first."""
    return [one for one in restante.shown("audit") if one["action"] == "turnaround-requested"]


def no_drain(restante: Installation) -> None:
    """Wait until the turnaround of a former server is closed: its lease may have to end."""
    eventually(lambda: restante.shown("drain", "list") == [], what="no drain on record")


@pytest.mark.parametrize("way_in", ["odmr", "odmrs"])
@pytest.mark.parametrize("like_fetchmail", [False, True], ids=["streams", "like fetchmail"])
def test_a_client_takes_the_mail_of_several_domains_on_its_own_connection(
    restante: Installation, odmrs: Server, way_in: str, *, like_fetchmail: bool
) -> None:
    first, second = hosted(restante, held=3), hosted(restante, held=2)
    server = odmrs if way_in == "odmrs" else restante.odmr
    with OdmrCustomer(server, reads_like_fetchmail=like_fetchmail) as customer:
        assert b"250-ATRN\r\n" in customer.offered
        reply = customer.turn(ALPHA, f"{first}, {second}")
        assert reply == b"250 2.0.0 OK now reversing the connection\r\n"
        customer.serve()
        assert customer.commands[0] == "EHLO mx2.example.net"
        assert customer.commands[-1] == "QUIT"
        assert len(customer.taken) == 5
    for domain in (first, second):
        restante.wait_for_event("drain-finished", domain=domain, end="finished", held=0)
        assert restante.held(domain) == 0
    entry = turns_of(restante)[0]
    assert entry["answer"] == "250 2.0.0 OK now reversing the connection"


def test_a_large_message_and_a_long_line_arrive_as_they_were_sent(
    restante: Installation, odmrs: Server
) -> None:
    domain = hosted(restante)
    content = message("large", b"x" * 950 + b"\r\n" + (b"." + b"y" * 70 + b"\r\n") * 8000)
    assert send(restante.mx, f"reader@{domain}", content=content).returncode == 0
    with OdmrCustomer(odmrs, reads_like_fetchmail=True) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve()
        [taken] = customer.taken
        assert taken.endswith(content[content.index(b"x" * 950) :])
    restante.wait_for_event("drain-finished", domain=domain, held=0)


@pytest.mark.parametrize("argument", ["closed", "unknown", "foreign", "both"])
def test_whatever_may_not_be_taken_is_refused_alike(restante: Installation, argument: str) -> None:
    good = hosted(restante, held=1)
    names = {
        "closed": hosted(restante, turnaround="deny"),
        "unknown": "nowhere.example",
        "foreign": hosted(restante, account="beta"),
    }
    names["both"] = f"{good},{names['closed']}"
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, names[argument]) == REFUSED
        assert customer.say(f"ATRN {good}").startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) == 1
    assert restante.held(good) == 0


def test_a_login_without_the_right_is_refused(restante: Installation) -> None:
    domain = hosted(restante, account="beta", held=1)
    login = restante.has_account("beta")
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(login, domain) == REFUSED
    restante.do("login", "set", "beta", "beta", "--turnaround")
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(login).startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) >= 1
    restante.do("login", "set", "beta", "beta", "--no-turnaround")


def test_nothing_held_is_said(restante: Installation) -> None:
    domain = hosted(restante)
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, domain) == b"453 4.2.0 You have no mail\r\n"
        assert customer.say("MAIL FROM:<a@a.example>").startswith(b"502")
        assert customer.say("QUIT").startswith(b"221")


def test_a_mail_listener_does_not_offer_it(restante: Installation) -> None:
    with OdmrCustomer(restante.starttls) as customer:
        assert b"ATRN" not in customer.offered
        assert customer.login(ALPHA).startswith(b"235")
        assert customer.say("ATRN").startswith(b"502")


def test_a_client_that_is_cut_gets_the_rest_the_next_time(restante: Installation) -> None:
    domain = hosted(restante, held=6)
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve(most=2)
    restante.wait_for_event("drain-finished", domain=domain)
    left = restante.held(domain)
    assert 3 <= left <= 5
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) == left
    restante.wait_for_event("drain-finished", domain=domain, held=0)


def test_a_second_turnaround_is_refused_and_a_release_is_confirmed(restante: Installation) -> None:
    domain = hosted(restante, held=3)
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        with OdmrCustomer(restante.odmr) as second:
            assert second.turn(ALPHA, domain) == REFUSED
            assert second.say(f"ETRN {domain}").startswith(b"253 ")
        [drain] = [one for one in restante.shown("drain", "list") if one["domain"] == domain]
        assert drain["destination"].startswith("turnaround 127.0.0.1 (login alpha)")
        customer.serve()
        assert len(customer.taken) == 3
    restante.wait_for_event("drain-finished", domain=domain, held=0)


def test_after_a_stop_or_a_kill_nothing_is_lost_and_nothing_goes_elsewhere(
    restante: Installation, odmrs: Server
) -> None:
    domain = hosted(restante, held=4)
    for end in (restante.kill, restante.stop):
        with OdmrCustomer(odmrs) as customer:
            assert customer.turn(ALPHA, domain).startswith(b"250 ")
            customer.send(b"220 mail.customer.example\r\n")
            assert customer.reply().startswith(b"EHLO ")
            end()
        restante.start()
        no_drain(restante)
        assert restante.held(domain) == 4
    with OdmrCustomer(odmrs) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) == 4


def test_a_stop_of_the_drain_ends_the_turnaround_gently(restante: Installation) -> None:
    domain = hosted(restante, held=3)

    def reply_to(line: str) -> str:
        if line == "DATA":
            restante.do("drain", "stop", domain, "--reason", "a test")
        return ""

    with OdmrCustomer(restante.odmr, reply_to=reply_to) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) == 1
        assert customer.commands[-1] == "QUIT"
    restante.wait_for_event("drain-finished", domain=domain, end="stopped")
    assert restante.held(domain) == 2


def test_the_account_is_told_of_a_new_place_once(restante: Installation) -> None:
    domain = f"d{next(_COUNT)}.example"
    restante.hosts(domain, "none", "--turnaround", "allow")
    hold(restante, domain, 1)
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.turn(ALPHA, domain).startswith(b"250 ")
        customer.serve()
    restante.wait_for_event("drain-finished", domain=domain)
    [told] = restante.events("turnaround-from-new-place", login="alpha")
    assert told["block"] == "127.0.0.0/24"


def test_a_domain_without_a_destination_gives_its_mail_by_atrn_only(
    restante: Installation,
) -> None:
    domain = f"d{next(_COUNT)}.example"
    restante.hosts(domain, "none", "--turnaround", "allow", "--hold", "on-return")
    hold(restante, domain, 2)
    assert "by ATRN only" in restante.do("domain", "list")
    with OdmrCustomer(restante.odmr) as customer:
        assert customer.login(ALPHA).startswith(b"235")
        assert customer.say(f"ETRN {domain}").startswith(b"459 ")
        assert customer.say(f"ATRN {domain}").startswith(b"250 ")
        customer.serve()
        assert len(customer.taken) == 2


def test_a_kill_between_a_reply_and_its_record_loses_nothing(
    restante: Installation, odmrs: Server
) -> None:
    """Messages that were not recorded come again; at most as many as may be unsettled."""
    domain = hosted(restante, held=6)
    contents: list[str] = []

    def reply_to(line: str) -> str:
        if line == "content":
            contents.append(line)
            if len(contents) == 3:
                restante.kill()
        return ""

    with OdmrCustomer(odmrs, reply_to=reply_to) as first:
        assert first.turn(ALPHA, domain).startswith(b"250 ")
        with suppress(OSError):
            first.serve()
    restante.start()
    no_drain(restante)
    with OdmrCustomer(odmrs) as second:
        assert second.turn(ALPHA, domain).startswith(b"250 ")
        second.serve()
    taken = [*first.taken, *second.taken]
    assert len(set(taken)) == 6
    assert len(taken) <= 6 + 3
    assert restante.held(domain) == 0
