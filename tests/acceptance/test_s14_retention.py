"""Mail that nobody fetches for months: a server is started on one day after another.

A real webhook receives the warnings, and a real Postfix the reports on lost mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.webhook_receiver import WebhookReceiver

DAY: Final = 86400.0
DOMAIN: Final = "alpha.example"
PATH: Final = f"reader@{DOMAIN}"
AWAY: Final = "127.0.0.1:9"
KINDS: Final = ("--only", "retention-ahead", "--only", "mail-expired")


def on(restante: Installation, day: float) -> None:
    """Start the server again on another day: it looks at every domain at once."""
    if restante.is_running:
        restante.stop()
    restante.ahead(day * DAY)
    restante.start()


def hears(restante: Installation, receiver: WebhookReceiver) -> None:
    """Send notices of retention to the receiver."""
    words = ("notice", "add", "hook", "--webhook", "-", "--account", "alpha", *KINDS)
    added = restante.run(*words, typed=receiver.url)
    assert added.returncode == 0, added.stderr
    receiver.key = added.stdout.strip()


def told(receiver: WebhookReceiver, count: int) -> Sequence[tuple[Any, Any]]:
    """Return kind and thing of each notice, once there are so many."""
    return [(notice.facts["type"], notice.facts["about"]) for notice in receiver.wait_for(count)]


def queued(restante: Installation) -> list[tuple[str, str]]:
    """Return who is in the queue, and how."""
    return [
        (one["forward_path"], one["status"])
        for listed in restante.shown("queue", "list", DOMAIN)
        for one in listed["recipients"]
    ]


def test_a_month_is_told_of_three_times_and_then_the_mail_is_deleted() -> None:
    """Started twice on some days: nothing is told twice, and nothing is left out."""
    with Installation() as restante, WebhookReceiver(tolerance=40 * DAY) as receiver:
        on(restante, 0)
        restante.hosts(DOMAIN, AWAY, "--retention", "30d", "--at-end", "delete")
        hears(restante, receiver)
        send(restante.mx, PATH, content=message("the old one"))
        on(restante, 22)
        send(restante.mx, PATH, content=message("the young one"))
        for day, count in ((23.1, 1), (23.2, 1), (27.1, 2), (27.2, 2), (29.1, 3), (29.9, 3)):
            on(restante, day)
            told(receiver, count)
            assert restante.held(DOMAIN) == 2, f"day {day}"
        on(restante, 30.1)

        assert told(receiver, 4) == [
            ("retention-ahead", f"{DOMAIN}, held, 7 days"),
            ("retention-ahead", f"{DOMAIN}, held, 3 days"),
            ("retention-ahead", f"{DOMAIN}, held, 1 day"),
            ("mail-expired", f"{DOMAIN}, held"),
        ]
        assert receiver.taken[3].facts["details"]["messages"] == 1
        assert restante.held(DOMAIN) == 1, "the young one has its own month"
        [entry] = [entry for entry in restante.shown("audit") if entry["action"] == "mail-expired"]
        assert (entry["actor"], entry["account"]) == ("policy retention", "alpha")
        assert entry["reason"] == f"held for more than 30 days, by the policy of {DOMAIN}"
    assert len(receiver.taken) == 4
    assert receiver.refused == []


def test_a_start_with_a_clock_that_is_years_ahead_deletes_nothing_and_says_so() -> None:
    """Restarted with that clock, too. When the clock is set right, mail ends at its time."""
    with Installation() as restante:
        on(restante, 0)
        ends = ("--retention", "30d", "--at-end", "delete")
        restante.hosts(DOMAIN, AWAY, *ends, "--refused-retention", "1d")
        send(restante.mx, PATH, content=message("a day old"))
        restante.doubt_leaps()
        for count, day in ((1, 4000), (2, 4001)):
            on(restante, day)
            doubted = eventually(
                lambda: restante.events("clock-doubted")[count - 1 :],  # noqa: B023  called at once
                what="doubt",
            )
            assert abs(doubted[0]["seconds"] - day * DAY) < DAY
            health = restante.shown("status")["health"]
            assert health["level"] == "warning"
            assert any("the clock leapt" in one["text"] for one in health["problems"])
            send(restante.mx, PATH, content=message(f"of day {day}"))
        assert restante.held(DOMAIN) == 3
        on(restante, 0.5)
        problems = restante.shown("status")["health"]["problems"]
        assert not any("the clock leapt" in one["text"] for one in problems)
        assert restante.held(DOMAIN) == 3
        assert restante.events("mail-expired") == []


def test_mail_to_be_kept_is_kept_and_announced_at_the_end_of_its_time() -> None:
    with Installation() as restante:
        on(restante, 0)
        restante.hosts(DOMAIN, AWAY, "--retention", "30d")
        send(restante.mx, PATH, content=message("for ever"))
        on(restante, 29.1)
        on(restante, 30.1)
        restante.wait_for_event("retention-over")
        on(restante, 400)
        [over] = restante.events("retention-over")
        assert (over["domain"], over["status"], over["at_end"]) == (DOMAIN, "held", "keep")
        assert restante.events("retention-ahead") == []
        assert queued(restante) == [(PATH, "held")]


@pytest.mark.parametrize("has_refused", [False, True], ids=["held", "refused"])
def test_the_sender_is_told_of_mail_that_was_never_fetched(
    names: NameServer, home: Primary, *, has_refused: bool
) -> None:
    """Held mail at the end of a month; refused mail at the end of its own two weeks."""
    reports = f"[reports]\nport = {home.port}\nfirst_retry = 0.2\nlongest_retry = 1.0\n"
    with (
        Installation(more=f"{names.settings}\n{reports}") as restante,
        PostfixPrimary([DOMAIN], rejects={PATH: "550 5.1.1 no mailbox of that name"}) as primary,
    ):
        on(restante, 0)
        ends = ("--retention", "30d", "--at-end", "bounce", "--refused-at-end", "bounce")
        restante.hosts(DOMAIN, at(primary), *ends)
        send(restante.mx, PATH, content=message("to be fetched"))
        if has_refused:
            primary.start()
            restante.do("release", DOMAIN)
            restante.wait_for_event("drain-finished")
            assert queued(restante) == [(PATH, "refused")]
        home.start()
        on(restante, 13.9 if has_refused else 29.9)
        assert restante.held(DOMAIN) == 1
        on(restante, 14.1 if has_refused else 30.1)

        [report] = home.wait_for(1)
        assert b"Action: failed" in report
        assert f"To: <{REVERSE_PATH}>".encode() in report
        assert (b"5.1.1" if has_refused else b"5.4.7") in report
        eventually(lambda: restante.held(DOMAIN) == 0, what="an empty queue")
        assert restante.shown("audit")[0]["action"] == "mail-bounced"
        on(restante, 60)
        assert len(home.messages()) == 1
