"""A full disk: no acknowledged mail is lost, mail leaves, and with free space new mail comes in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from tests.acceptance.crash.books import ALPHA, BETA, REVERSE_PATH, Books, compare
from tests.acceptance.crash.destination import Destination
from tests.acceptance.crash.holdings import Reader
from tests.acceptance.crash.senders import Senders, stuffed
from tests.acceptance.crash.small_disk import MEBIBYTE, SmallDisk
from tests.acceptance.crash.victim import Victim
from tests.acceptance.session import Session
from tests.fixed_seed import SEED

DISK: Final = 192 * MEBIBYTE
RESERVE: Final = 24 * MEBIBYTE
NO_ROOM: Final = b"452 4.3.1 "
SMALL: Final = 500  # octets, before they are spelled
LARGE: Final = 100_000


class Place:
    """A server whose store is on a small disk, and a destination."""

    def __init__(self, stack: ExitStack, reserve: int) -> None:
        self.books = Books(SEED)
        self.victim = stack.enter_context(Victim(more=f"[reception]\ndisk_reserve = {reserve}"))
        self.disk = stack.enter_context(SmallDisk(self.victim.store, DISK))
        self.destination = stack.enter_context(Destination(self.books, delay=0.0))
        self.victim.host_at(self.destination)
        self.victim.start()

    def load(self, count: int) -> None:
        """Send until so many messages have been acknowledged."""
        senders = Senders(self.victim.mx_port, self.books, 1, is_patient=True)
        asyncio.run(senders.run_until(lambda: senders.acknowledged >= count))

    def load_in_vain(self, count: int) -> Counter[int]:
        """Send until so many messages have been refused; return the codes."""
        senders = Senders(self.victim.mx_port, self.books, 1, is_patient=True)
        asyncio.run(senders.run_until(lambda: senders.refusals.total() >= count))
        return senders.refusals

    def wait_until_all_is_handed_over(self) -> None:
        """Release, and return when nothing is held."""
        answers = self.victim.ask("POST", "/v1/release", {"targets": [ALPHA, BETA]})
        assert {answer["result"] for answer in answers} <= {"granted", "nothing-held"}, answers
        self.victim.wait_until_empty()

    def check(self, without: str = "") -> None:
        """Stop the server and compare; one message was deleted, perhaps."""
        self.victim.stop()
        self.books.close_life()
        self.books.acknowledged = {key for key in self.books.acknowledged if key.token != without}
        self.destination.look()
        held = Reader(self.victim.store, self.books, self.victim.key_file).look(is_thorough=True)
        findings = compare(
            self.books, held.keys, self.destination.taken, held.spoiled + self.destination.spoiled
        )
        assert findings.are_sound, findings
        assert self.books.surprises == []
        assert self.books.acknowledged


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends what was begun, in the order that suits."""
    with ExitStack() as stack:
        yield stack


def test_mail_is_refused_before_the_disk_is_full(stack: ExitStack) -> None:
    """Sessions stay open, messages in progress are accepted, and with free space new ones too."""
    place = Place(stack, RESERVE)
    with Session(place.victim.mx) as before, Session(place.victim.mx) as begun:
        begun.say("MAIL FROM:<a@sender.example>")
        begun.say(f"RCPT TO:<reader@{ALPHA}>")
        place.disk.fill(but=RESERVE // 2)
        place.victim.wait_for_event("room-short")
        assert before.say("MAIL FROM:<a@sender.example>").startswith(NO_ROOM)
        assert begun.say("DATA").startswith(b"354")
        assert begun.say("Subject: begun\r\n\r\nin time\r\n.").startswith(b"250")
        place.disk.clear()
        place.victim.wait_for_event("room-back")
        assert before.say("MAIL FROM:<a@sender.example>").startswith(b"250")


def test_a_full_disk_loses_nothing_and_heals(stack: ExitStack) -> None:
    """Without a reserve all mail is deferred by 452; held mail can be deleted and handed over."""
    place = Place(stack, 0)
    place.load(300)
    place.disk.fill()
    assert set(place.load_in_vain(300)) == {452}
    with Session(place.victim.mx) as session:
        assert offer(place, session, SMALL).startswith(NO_ROOM)
        assert offer(place, session, LARGE).startswith(NO_ROOM)
        assert place.disk.free < 40 * MEBIBYTE  # the ballast's room, and nothing has eaten it
        [doomed] = delete_one(place)
        place.wait_until_all_is_handed_over()
        assert session.say("NOOP").startswith(b"250")
        place.disk.clear()
        assert offer(place, session, LARGE).startswith(b"250")
        assert offer(place, session, SMALL).startswith(b"250")
    place.load(100)
    place.wait_until_all_is_handed_over()
    assert not place.victim.events("server-failing")
    place.check(without=doomed)


def test_a_server_that_starts_on_a_full_disk_hands_over(stack: ExitStack) -> None:
    """The worst night: it was killed when the disk was full, and comes back to find it so."""
    place = Place(stack, 0)
    place.load(300)
    place.disk.fill()
    place.load_in_vain(100)
    place.victim.kill()
    place.disk.fill()  # also what the ballast has left
    place.victim.start()
    place.wait_until_all_is_handed_over()
    place.check()


def offer(place: Place, session: Session, octets: int) -> bytes:
    """Send a message; return the reply that decides."""
    sending = place.books.new(octets)
    assert session.say(f"MAIL FROM:<{REVERSE_PATH}>").startswith(b"250")
    for path in sending.to:
        assert session.say(f"RCPT TO:<{path}>").startswith(b"250")
    assert session.say("DATA").startswith(b"354")
    sending.is_complete = True
    reply = session.say(stuffed(sending.content).decode() + ".")
    sending.is_acknowledged = reply.startswith(b"250")
    return reply


def delete_one(place: Place) -> list[str]:
    """Delete the oldest message; return its token."""
    [oldest] = place.victim.ask("GET", "/v1/queue?limit=1")
    shown = place.victim.ask("GET", f"/v1/queue/{oldest['name']}")
    done = place.victim.ask(
        "POST", "/v1/queue/delete", {"names": [oldest["name"]], "reason": "to make room"}
    )
    assert done["changed"] == 1
    return [field["value"] for field in shown["headers"] if field["name"] == "X-Token"]
