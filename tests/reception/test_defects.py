"""Defects of ours: nobody waits endlessly, and nothing incomplete is acknowledged."""

from collections.abc import Callable

import pytest

from restante.mail.message import ContentFile
from restante.reception.auth_gate import AuthGate
from restante.reception.content_buffer import ContentBuffer
from restante.release.releaser import Releaser
from restante.smtp.phases import Phase
from restante.store.memory.memory_reception import MemoryReception, MemorySpool
from restante.store.reception_store import INLINE_LIMIT
from restante.store.store_errors import StoreError
from tests.wire import Wire

LARGE = INLINE_LIMIT + 1
GOODBYE = "S: 421 4.3.0 mx2.example.net internal error, try again later"


class Defect(Exception):  # noqa: N818
    """An unexpected error."""


async def broken(*_: object, **__: object) -> None:
    raise Defect


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[type, str], None]:
    """Make a method raise what nobody expects."""
    return lambda owner, name: monkeypatch.setattr(owner, name, broken)


def check_is_over(smtp: Wire) -> None:
    assert smtp.session.phase is Phase.CLOSED
    assert not smtp.dialogue.is_waiting


def test_a_defect_in_the_check_of_a_password_ends_the_session(
    smtp: Wire, breaks: Callable[[type, str], None]
) -> None:
    smtp.hosts("a.example", account="alpha")
    breaks(AuthGate, "attempt")
    smtp.transcript(f"""
        C: AUTH PLAIN {{alpha}}
        {GOODBYE}
    """)
    check_is_over(smtp)


def test_a_defect_in_a_release_ends_the_session(
    smtp: Wire, breaks: Callable[[type, str], None]
) -> None:
    smtp.hosts("a.example", account="alpha")
    breaks(Releaser, "release")
    smtp.transcript(f"""
        C: AUTH PLAIN {{alpha}}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        {GOODBYE}
    """)
    check_is_over(smtp)


def test_a_defect_at_the_end_of_large_content_ends_the_session(
    smtp: Wire, breaks: Callable[[type, str], None]
) -> None:
    smtp.hosts("a.example")
    breaks(ContentBuffer, "finish")
    smtp.send(
        b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n" + b"x" * LARGE + b"\r\n.\r\nNOOP\r\n"
    )
    last = smtp.session.data_to_send().split(b"\r\n")[-2].decode()
    assert f"S: {last}" == GOODBYE
    check_is_over(smtp)
    assert smtp.held("a.example") == []
    assert smtp.memory_budget.now == 0


def test_a_defect_while_content_is_written_leaves_no_hole_in_it(smtp: Wire) -> None:
    """The pieces that were lost must not be followed by others, and by a 250 for the rest."""
    smtp.hosts("a.example")
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n")
    smtp.session.data_to_send()
    with pytest.MonkeyPatch.context() as once:
        once.setattr(MemorySpool, "write", broken)
        smtp.send(b"x" * LARGE)
    smtp.send(b"y" * LARGE + b"\r\n.\r\n")
    assert smtp.session.data_to_send() == b"451 4.3.0 Cannot store mail now, try again later\r\n"
    assert smtp.held("a.example") == []
    assert smtp.memory_budget.now == 0


@pytest.mark.parametrize("end", ["failure", "defect", "departure"])
def test_no_file_is_left_where_a_copy_for_another_domain_fails(
    smtp: Wire, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    for name in "abc":
        smtp.hosts(f"{name}.example")
    duplicate, made = MemoryReception.duplicate, list[ContentFile]()

    async def fail(self: MemoryReception, file: ContentFile) -> ContentFile:
        made.append(await duplicate(self, file))
        if len(made) == 2 and end == "departure":
            smtp.dialogue.abandon()
        elif len(made) == 2:
            self.discard(made[1])
            raise StoreError("no room") if end == "failure" else Defect
        return made[-1]

    monkeypatch.setattr(MemoryReception, "duplicate", fail)
    paths = b"".join(b"RCPT TO:<x@%c.example>\r\n" % name for name in b"abc")
    smtp.send(b"MAIL FROM:<>\r\n" + paths + b"DATA\r\n" + b"x" * LARGE + b"\r\n.\r\n")
    last = smtp.session.data_to_send().split(b"\r\n")[-2]
    if end == "failure":
        assert last == b"451 4.3.0 Cannot store mail now, try again later"
    assert len(made) == 2
    assert smtp.held("a.example") == []
    assert smtp.store.reception._state.files == {}
