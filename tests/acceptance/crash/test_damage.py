"""Content that the disk damaged is refused where people see it, never sent, and stops nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.acceptance.crash.books import ALPHA, Books, Key, Sending
from tests.acceptance.crash.destination import Destination
from tests.acceptance.crash.holdings import Reader
from tests.acceptance.crash.senders import LARGE, Senders
from tests.acceptance.crash.victim import Victim
from tests.fixed_seed import SEED
from tests.flipped_bit import flip_a_bit

COUNT = 300  # messages


async def load(victim: Victim, books: Books) -> None:
    """Have mail of all kinds held, and two large messages that have a content file each."""
    senders = Senders(victim.mx_port, books, 1)

    def is_enough() -> bool:
        return senders.acknowledged >= COUNT and len(large_of_one_domain(books)) > 1

    await senders.run_until(is_enough)


def large_of_one_domain(books: Books) -> list[Sending]:
    return [
        sent
        for sent in books.under_way()
        if sent.is_acknowledged and len(sent.content) > LARGE[1] and len(list(sent.parts())) == 1
    ]


def files_of_one(victim: Victim) -> tuple[Path, Path]:
    """Return two content files that have no second name: each is one message's."""
    first, second, *_ = (
        file for file in sorted(victim.store.glob("content/*/*")) if file.stat().st_nlink == 1
    )
    return first, second


def spoil(flipped: Path, removed: Path) -> None:
    """Flip a bit of one content file, and remove another."""
    flip_a_bit(flipped, flipped.stat().st_size // 2)
    removed.unlink()


def tokens_of(victim: Victim, books: Books, *files: Path) -> list[str]:
    """Return whose content these files are."""
    held = Reader(victim.store, books, victim.key_file).look(is_thorough=True)
    assert held.spoiled == []
    return [held.by_file[f"{file.parent.name}/{file.name}"].token for file in files]


def test_damaged_mail_is_parked_and_the_rest_is_handed_over() -> None:
    books = Books(SEED)
    with Victim() as victim, Destination(books) as destination:
        victim.host_at(destination)
        victim.start()
        asyncio.run(load(victim, books))
        victim.stop()
        books.close_life()
        files = files_of_one(victim)
        doomed = tokens_of(victim, books, *files)
        spoil(*files)
        assert victim.run("store", "check").returncode == 65

        victim.start()
        assert victim.events("message-damaged"), (
            victim.log_tail()
        )  # the missing one is named at start
        victim.release()
        victim.wait_until_only_refused()
        parked = victim.shown("queue", "list", "--status", "damaged")
        assert len(parked) == 2
        replies = {recipient["reply"] for message in parked for recipient in message["recipients"]}
        assert all(reply.startswith("damaged: ") for reply in replies), replies

        destination.look()
        assert destination.spoiled == []
        spoiled = {Key(token, message["domain"]) for token in doomed for message in parked}
        assert books.acknowledged - spoiled <= destination.taken.keys()
        assert ALPHA in {key.domain for key in destination.taken}
        names = [message["name"] for message in parked]
        victim.do("queue", "delete", *names, "--yes", "--reason", "cannot be mended")
        assert victim.shown("store", "check")["is_sound"]
