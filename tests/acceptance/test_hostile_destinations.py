"""Destinations that reply nonsense, too much, too little, too early or too late, anywhere.

Each case is a domain with three messages and a destination of its own that misbehaves once. All
domains of a column (the extensions of the destination) are released at once. Then every destination
is repaired and the rest is released again. Each case must fulfill this:

- Only a message whose content got a reply at its place counts as delivered. A wrong reply defers,
  refuses or delivers no other message. All others stay held.
- The drain ends with a reason. If the affected message is known, it stays held, and says why. The
  others go by another connection.
- Once repaired, the destination gets all that was held, once, byte for byte.

And of all of them together: the server serves others meanwhile, and its memory does not grow.
"""

from __future__ import annotations

import re
import smtplib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.acceptance.hostile_cases import (
    ANSWERED_FIRST,
    LARGE,
    LOOKS_LIKE_A_REFUSAL,
    OFFERS,
    SMALL,
    TABLE,
    Case,
)
from tests.acceptance.hostile_destination import HostileDestination, Place, Trap, says
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.sample import MARKER, REVERSE_PATH, send

SETTINGS: Final = {
    "patience": 0,
    "reply_timeout": 6.0,
    "content_timeout": 6.0,
}  # one attempt; late is soon
GROWTH: Final = 64 * 1024 * 1024  # octets that the server may take up for all the floods together
# A destination must have proven its windows before three messages share one.
IN_A_WINDOW: Final = (Place.MAIL, Place.RCPT, Place.CONTENT, Place.IN_CONTENT, Place.AFTER)
QUIET: Final = "quiet.example"  # another domain, with a good destination


@dataclass
class Aftermath:
    """The outcome of a case."""

    finished: dict[str, Any]  # the log's line on the end of the first drain
    left: list[dict[str, Any]]  # of the queue, after that
    connections: int
    taken_then: list[bytes]  # contents that came whole, before the destination was repaired
    story: str  # its lines in the log until then
    taken_later: list[bytes] = field(default_factory=list)


@dataclass
class Column:
    """The outcomes of all cases with one offer."""

    cases: dict[str, Aftermath]
    quiet: list[bytes]  # mail of the good destination of another domain meanwhile
    grown: int  # octets of memory that the server took up at most


@pytest.fixture(scope="module")
def played() -> Callable[[str], Column]:
    """Return the outcome of a column, which is played at the first call."""

    @cache
    def tried(column: str) -> Column | Exception:
        try:
            return play(column)
        except Exception as error:  # noqa: BLE001  said to each test, and not tried again for each
            return error

    def get(column: str) -> Column:
        found = tried(column)
        if isinstance(found, Exception):
            raise found
        return found

    return get


def play(column: str) -> Column:
    """Play all cases of a column at once."""
    with ExitStack() as stack:
        restante = stack.enter_context(Installation(delivery=SETTINGS))
        restante.start()
        scene = Scene(restante, column, stack)
        scene.hold()
        memory = reset_peak(restante.pid)
        aftermaths = scene.meet_the_traps()
        grown = peak(restante.pid) - memory
        scene.hand_over_the_rest(aftermaths)
        return Column(aftermaths, scene.quiet.taken, grown)


class Scene:
    """A domain and a destination for each case."""

    def __init__(self, restante: Installation, column: str, stack: ExitStack) -> None:
        offer = OFFERS[column]
        self._restante = restante
        self._names = {f"case-{number}.example": case for number, case in enumerate(TABLE[column])}
        self._known = [
            name
            for name, case in self._names.items()
            if column == "ahead" and case.place in IN_A_WINDOW
        ]
        self._destinations = {
            name: stack.enter_context(
                HostileDestination(offer, () if name in self._known else case.traps)
            )
            for name, case in self._names.items()
        }
        self.quiet = stack.enter_context(HostileDestination(offer))

    def hold(self) -> None:
        """Have all mail held: one message goes to many domains, so that this is soon done."""
        add_domains(self._restante, {**self._destinations, QUIET: self.quiet})
        if self._known:
            self._prove_windows()
        large = [name for name, case in self._names.items() if case.is_large]
        small = [name for name in self._names if name not in large]
        for content, domains in (
            (SMALL[0], [*self._names]),
            (SMALL[1], small),
            (LARGE, large),
            (SMALL[2], [*self._names]),
        ):
            self._send(content, domains)

    def _prove_windows(self) -> None:
        """Hand over mail without traps, so that the next window takes three messages."""
        for content in SMALL:
            self._send(content, self._known)
        self._restante.do("release", "#alpha")
        eventually(lambda: len(self._lines()) >= len(self._known), what="the first drains")
        for name in self._known:
            self._destinations[name].set_traps(self._names[name].traps)

    def _send(self, content: bytes, domains: Sequence[str]) -> None:
        with smtplib.SMTP(
            self._restante.mx.host, self._restante.mx.port, "sender.example"
        ) as sender:
            paths = [f"reader@{domain}" for domain in domains]
            assert sender.sendmail(REVERSE_PATH, paths, content) == {}

    def meet_the_traps(self) -> dict[str, Aftermath]:
        """Release everything; meanwhile the server takes and hands over another domain's mail."""
        self._restante.do("release", "#alpha")
        send(self._restante.mx, f"reader@{QUIET}", content=SMALL[0])
        self._restante.do("release", QUIET)
        eventually(lambda: self.quiet.taken, what="another domain's mail")
        ended = {line["domain"]: line for line in self._ended()}
        log = self._restante.log_path.read_text().splitlines()
        left = self._restante.shown("queue", "list", "--limit", "10000")
        return {
            str(case): Aftermath(
                ended[name],
                [message for message in left if message["domain"] == name],
                self._destinations[name].connections,
                self._destinations[name].taken,
                "\n".join(line for line in log if f'"{name}"' in line),
            )
            for name, case in self._names.items()
        }

    def _ended(self) -> list[dict[str, Any]]:
        wanted = len(self._names) + len(self._known)
        eventually(lambda: len(self._lines()) >= wanted, what="every drain to end")
        return self._lines()

    def _lines(self) -> list[dict[str, Any]]:
        lines = self._restante.events("drain-finished")
        return [line for line in lines if line["domain"] in self._names]

    def hand_over_the_rest(self, aftermaths: dict[str, Aftermath]) -> None:
        """Repair the destinations, and release the held and the refused mail."""
        for destination in self._destinations.values():
            destination.repair()
        parked = [
            one["name"] for one in self._restante.shown("queue", "list", "--status", "refused")
        ]
        if parked:
            self._restante.do("queue", "release", *parked)
        self._restante.do("release", "#alpha")
        eventually(lambda: not self._held(), what="everything held to be handed over")
        for name, case in self._names.items():
            aftermaths[str(case)].taken_later = self._destinations[name].taken

    def _held(self) -> list[Any]:
        held: list[Any] = self._restante.shown("queue", "list", "--status", "held", "--limit", "1")
        return held


def add_domains(restante: Installation, destinations: dict[str, HostileDestination]) -> None:
    """Host domains, as `restante domain add` does, but without a process for each."""
    restante.has_account("beta")
    transport = httpx.HTTPTransport(uds=str(restante.socket))
    with httpx.Client(transport=transport, base_url="http://control", timeout=90) as control:
        for name, destination in destinations.items():
            account = "beta" if name == QUIET else "alpha"
            facts = {
                "name": name,
                "account": account,
                "destination": at(destination),
                "connections": 1,
            }
            assert control.post("/v1/domains", json=facts).status_code == 201


def reset_peak(pid: int) -> int:
    """Reset a process's peak of memory in the kernel. Return its present memory in octets."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak(pid)


def peak(pid: int) -> int:
    """Return how much memory a process has had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


columns = pytest.mark.parametrize("column", OFFERS)
cases = pytest.mark.parametrize(
    ("column", "case"),
    [pytest.param(column, case) for column in OFFERS for case in TABLE[column]],
    ids=str,
)
Played = Callable[[str], Column]


@cases
def test_only_what_was_answered_at_its_place_is_delivered_and_the_rest_stays_held(
    played: Played, column: str, case: Case
) -> None:
    found = played(column).cases[str(case)]
    assert found.finished["delivered"] == case.delivered, found.story
    statuses = [recipient["status"] for one in found.left for recipient in one["recipients"]]
    assert statuses.count("refused") <= (str(case) in LOOKS_LIKE_A_REFUSAL), found.story
    assert len(found.left) == len(case.contents) - case.delivered
    taken = below(found.taken_then)
    if case.place is Place.CONTENT and column != "ahead" and case.name not in ANSWERED_FIRST:
        # A message whose final reply cannot be read makes a copy, and others go before it.
        assert set(case.contents) >= set(taken) >= set(case.contents) - {case.contents[1]}, (
            found.story
        )
    elif column == "ahead" and case.place is Place.IN_CONTENT:
        # The message that broke its window may keep no other waiting, so the others go again.
        assert set(taken) == {*case.contents} - {*case.contents[1:2] * case.is_second_left}
        assert max(Counter(taken).values()) <= 2, "the window is sent again once, and no more"
    elif case.is_second_left:
        assert taken == [case.contents[0], case.contents[2]]
    else:
        assert taken[: case.delivered] == case.contents[: case.delivered]


@cases
def test_the_drain_stops_and_says_why(played: Played, column: str, case: Case) -> None:
    found = played(column).cases[str(case)]
    assert re.search(case.reason, found.finished["reason"]), found.story
    said = [recipient["reply"] for one in found.left for recipient in one["recipients"]]
    assert not case.why or all(re.search(case.why, reply) for reply in said), found.story
    assert 1 <= found.connections <= case.connections, found.story


@cases
def test_mended_the_destination_gets_all_that_was_held_once_and_byte_for_byte(
    played: Played, column: str, case: Case
) -> None:
    found = played(column).cases[str(case)]
    left = [case.contents[1]] if case.is_second_left else case.contents[case.delivered :]
    assert below(found.taken_later) == left, found.story


@columns
def test_others_are_served_meanwhile(played: Played, column: str) -> None:
    assert below(played(column).quiet) == [SMALL[0]]


@columns
def test_no_flood_is_kept_in_memory(played: Played, column: str) -> None:
    assert played(column).grown < GROWTH


def test_a_destination_that_stumbles_is_tried_again_with_growing_pauses_and_then_left_alone() -> (
    None
):
    """It lasts as long as its patience. A repaired destination gets its mail without a request."""
    trap = Trap(Place.GREETING, says(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with (
        Installation(delivery={"patience": 3.0}) as restante,
        HostileDestination(b"PIPELINING", [trap]) as never,
        HostileDestination(b"PIPELINING", [trap]) as mended,
    ):
        restante.start()
        for domain, destination in (("never.example", never), ("mended.example", mended)):
            restante.hosts(domain, at(destination))
            send(restante.mx, f"reader@{domain}", content=SMALL[0])
        restante.do("release", "#alpha")
        eventually(lambda: mended.connections, what="a first attempt")
        mended.repair()
        eventually(lambda: below(mended.taken) == [SMALL[0]], what="the mail, unasked")
        restante.wait_for_event("drain-finished", domain="never.example", held=1)
        # Pauses of 0.2, 0.4, 0.8, 1, 1 … seconds, a quarter less at the least.
        assert 2 <= never.connections <= 6


def below(contents: Sequence[bytes]) -> list[bytes]:
    """Return contents as they were sent to us: without the Received field on top."""
    return [content[content.index(MARKER) :] for content in contents]
