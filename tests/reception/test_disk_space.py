"""No mail is begun when the disk is nearly full; a session with a 452 may go on and retry."""

from collections.abc import Sequence

import pytest

from restante.mail.message import NewMessage
from restante.reception.disk_space import DiskSpace
from restante.store.store_errors import OverQuota, StoreError, StoreFull
from restante.telemetry.events import MailRefused
from tests.wire import Wire


class Disk:
    """Says how much is free; may be unable to."""

    def __init__(self) -> None:
        self.free = 100
        self.error: StoreError | None = None

    def __call__(self) -> int:
        if self.error:
            raise self.error
        return self.free


def test_it_tells_when_room_comes_to_an_end_and_back() -> None:
    disk = Disk()
    room = DiskSpace(disk, 50)
    found = []
    for free in (100, 49, 10, 50, 100):
        disk.free = free
        found.append((room.look(), room.is_short))
        assert room.free == free
    assert found == [(None, False), (49, True), (None, True), (50, False), (None, False)]


def test_a_reserve_that_is_changed_counts_from_the_next_look() -> None:
    room = DiskSpace(Disk(), 50)
    room.look()
    room.reserve = 200
    room.look()
    assert room.is_short


def test_a_disk_that_cannot_be_asked_is_not_short() -> None:
    disk = Disk()
    room = DiskSpace(disk, 50)
    disk.error = StoreError("it was removed")
    assert room.look() is None
    assert not room.is_short


def test_a_store_without_a_disk_is_never_short() -> None:
    room = DiskSpace(lambda: None, 50)
    assert room.look() is None
    assert not room.is_short


def test_without_room_mail_is_put_off_and_the_session_lives_on(smtp: Wire) -> None:
    smtp.hosts("alpha.example")
    room = smtp._services.disk_space
    room.reserve = 1  # nothing is free on the disk of the wire
    room.look()
    smtp.transcript("""
        C: MAIL FROM:<a@sender.example>
        S: 452 4.3.1 No room for mail now, try again later
        C: RCPT TO:<reader@alpha.example>
        S: 503 5.5.1 Bad sequence of commands
    """)
    room.reserve = 0
    room.look()
    smtp.transcript("""
        C: MAIL FROM:<a@sender.example>
        S: 250 2.1.0 OK
        C: RCPT TO:<reader@alpha.example>
        S: 250 2.1.5 OK
    """)


@pytest.mark.parametrize(
    ("failure", "reply"),
    [
        (StoreFull("the disk is full"), "452 4.3.1 No room for mail now, try again later"),
        (
            OverQuota("the quota of alpha.example is reached"),
            "452 4.2.2 No room for mail to this domain now, try again later",
        ),
        (StoreError("disk I/O error"), "451 4.3.0 Cannot store mail now, try again later"),
    ],
)
def test_content_that_the_store_cannot_hold_is_put_off(
    smtp: Wire, monkeypatch: pytest.MonkeyPatch, failure: StoreError, reply: str
) -> None:
    smtp.hosts("alpha.example")

    async def fails(_messages: Sequence[NewMessage], _quotas: object) -> None:
        raise failure

    with monkeypatch.context() as broken:
        broken.setattr(smtp.store.reception, "hold", fails)
        smtp.transcript(f"""
            C: MAIL FROM:<a@sender.example>
            S: 250 2.1.0 OK
            C: RCPT TO:<reader@alpha.example>
            S: 250 2.1.5 OK
            C: DATA
            S: 354 End data with <CR><LF>.<CR><LF>
            C: Subject: x
            C:
            C: body
            C: .
            S: {reply}
            C: NOOP
            S: 250 2.0.0 OK
        """)
    assert smtp.held("alpha.example") == []
    assert [line["answer"] for line in smtp.log.of(MailRefused)] == [reply]
