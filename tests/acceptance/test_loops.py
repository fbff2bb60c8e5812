"""Mail that loops is marked refused: it is not lost, not bounced, and not sent round endlessly."""

from __future__ import annotations

import re
from itertools import cycle
from typing import Any, Final

from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import MARKER, message, send

DOMAIN: Final = "circle.example"
HOPS: Final = 4
PARKED: Final = "554 5.4.6 Not sent: this number of Received fields means a mail loop"
SMALL: Final = message("small", b".\r\nbody\r\n")
LARGE: Final = message("large", b"".join(b".line %07d\r\n" % number for number in range(20_000)))
RELAYS_BACK: Final = {  # of an operator who takes the backup for the next hop
    "virtual_mailbox_domains": "",
    "relay_domains": DOMAIN,
    "relay_transport": "smtp:[{host}]:{port}",
}


def test_a_primary_that_sends_its_mail_back_gets_it_so_often_and_no_more() -> None:
    """A Postfix relays the domain to us. The mail is refused until the primary is repaired."""
    with (
        Installation(delivery={"hops_limit": HOPS, "patience": 0.5}) as restante,
        PostfixPrimary([]) as primary,
    ):
        for name, value in RELAYS_BACK.items():
            primary.settings[name] = value.format(host=HOST, port=restante.mx_port)
        primary.start()
        restante.start()
        restante.hosts(DOMAIN, f"{HOST}:{primary.port}")
        for content in (SMALL, LARGE):
            send(restante.mx, f"reader@{DOMAIN}", content=content)

        go_round(restante)

        assert [replies_of(one) for one in parked(restante)] == [[PARKED], [PARKED]]
        # One hop here and two more for each round: each message went round HOPS / 2 times.
        assert {hops_of(restante, one) for one in parked(restante)} == {HOPS + 1}
        assert len(restante.events("message-delivered", domain=DOMAIN)) == HOPS
        assert re.findall(r"status=(?!sent)\w+|bounce|non-delivery", primary.log()) == []
        mend(restante)


def test_mail_that_comes_back_through_the_primary_is_deferred_and_the_operator_is_told() -> None:
    """Long before the limit of hops: our own fields show it. The primary keeps the mail."""
    more = "[reception]\npasses_limit = 1\n"
    with (
        Installation(more=more, delivery={"patience": 0.5}) as restante,
        PostfixPrimary([]) as primary,
    ):
        for name, value in RELAYS_BACK.items():
            primary.settings[name] = value.format(host=HOST, port=restante.mx_port)
        primary.start()
        restante.start()
        restante.hosts(DOMAIN, f"{HOST}:{primary.port}")
        for content in (SMALL, LARGE):
            send(restante.mx, f"reader@{DOMAIN}", content=content)
        while len(restante.events("mail-loops")) < 2:
            eventually(
                lambda: restante.held(DOMAIN) or len(restante.events("mail-loops")) == 2,
                what="mail to come back, or to be deferred",
            )
            if restante.held(DOMAIN):  # otherwise a drain that still ran has sent it round
                release(restante)
        told = restante.events("mail-loops")[0]
        assert (told["domain"], told["peer"], told["passes"]) == (DOMAIN, HOST, 2)
        assert restante.held(DOMAIN) == 0
        eventually(
            lambda: primary.log().count("451 4.4.6 Mail loop: the message was here before") >= 2,
            what="the primary to keep both",
        )
        assert re.findall(r"status=(?:bounced|expired)", primary.log()) == []


def test_two_backups_that_name_each_other_do_not_play_ball_for_ever() -> None:
    """Each is the other's destination for the domain. Each is asked whenever it holds its mail."""
    settings = {"hops_limit": HOPS, "patience": 0.5}
    with Installation(delivery=settings) as one, Installation(delivery=settings) as other:
        rename(other, "mx3.example.net")
        for each, port in ((one, other.mx_port), (other, one.mx_port)):
            each.start()
            each.hosts(DOMAIN, f"{HOST}:{port}")
        send(one.mx, f"reader@{DOMAIN}", content=SMALL)

        players = cycle((one, other))
        for holder in players:
            release(holder)
            if holder.events("delivery-refused"):
                break
        passes = [len(each.events("message-delivered")) for each in (one, other)]

        [found] = parked(holder)
        assert (replies_of(found), hops_of(holder, found)) == ([PARKED], HOPS + 1)
        assert sum(passes) == HOPS
        assert next(players).held(DOMAIN) == 0
        mend(holder, SMALL)


def test_a_destination_that_calls_itself_as_we_do_gets_nothing() -> None:
    """Two servers made with one name, or ours behind an address that does not look like ours."""
    with Installation(delivery={"patience": 0.5}) as one, Installation() as other:
        for each in (one, other):
            each.start()
        one.hosts(DOMAIN, f"{HOST}:{other.mx_port}")
        other.hosts(DOMAIN, f"{HOST}:{one.mx_port}")
        send(one.mx, f"reader@{DOMAIN}", content=SMALL)
        release(one)
        assert (one.held(DOMAIN), other.held(DOMAIN)) == (1, 0)
        finished = one.events("drain-finished")[-1]
        assert f"the destination calls itself {HOSTNAME}: it is this server" in finished["reason"]


def rename(restante: Installation, hostname: str) -> None:
    """Give a server that does not run another name."""
    text = restante.config.read_text()
    assert HOSTNAME in text
    restante.config.write_text(text.replace(HOSTNAME, hostname))


def go_round(restante: Installation) -> None:
    """Release the domain whenever both messages are there, until both are refused."""
    while len(restante.events("delivery-refused")) < 2:
        wait_until_all_is_back(restante)
        release(restante)
    wait_until_all_is_back(restante)


def wait_until_all_is_back(restante: Installation) -> None:
    """Return when each delivered message has come back, beside the two that were sent."""
    came = 2 + len(restante.events("message-delivered"))
    eventually(
        lambda: len(restante.events("mail-held")) == came, what="all messages to have come back"
    )


def release(restante: Installation) -> None:
    """Have the domain released, and wait until that is over."""
    before = len(restante.events("drain-finished", domain=DOMAIN))
    restante.do("release", DOMAIN)
    eventually(
        lambda: len(restante.events("drain-finished", domain=DOMAIN)) > before,
        what="the drain to end",
    )


def mend(restante: Installation, *contents: bytes) -> None:
    """Give the domain a destination that keeps its mail, and release: all mail is there."""
    contents = contents or (SMALL, LARGE)
    with SmtpSink(keep_content=True) as sink:
        sink.start()
        restante.do("domain", "set", DOMAIN, "--destination", f"{HOST}:{sink.port}")
        text = restante.config.read_text()
        restante.config.write_text(text.replace(f"hops_limit = {HOPS}", f"hops_limit = {HOPS + 1}"))
        restante.reload()
        names = [one["name"] for one in parked(restante)]
        restante.do("queue", "release", *names, "--reason", "the circle is broken")
        release(restante)
        sink.wait_for(len(contents))
        assert restante.held(DOMAIN) == 0
        assert sorted(below_marker(raw) for raw in sink.messages()) == sorted(contents)


def below_marker(raw: bytes) -> bytes:
    """Return the content as it was first sent."""
    return raw[raw.index(b"\n" + MARKER) + 1 :].replace(b"\n", b"\r\n")


def parked(restante: Installation) -> list[dict[str, Any]]:
    """Return the domain's refused messages."""
    found: list[dict[str, Any]] = restante.shown("queue", "list", DOMAIN, "--status", "refused")
    return found


def replies_of(listed: dict[str, Any]) -> list[str]:
    """Return the last reply about each recipient of a message."""
    return [recipient["reply"] for recipient in listed["recipients"]]


def hops_of(restante: Installation, listed: dict[str, Any]) -> int:
    """Return how many Received fields a message has."""
    headers = restante.shown("queue", "show", listed["name"])["headers"]
    return sum(header["name"] == "Received" for header in headers)
