"""The data of a store in memory: dependent data goes with its thing, and nothing else does."""

from dataclasses import replace

import pytest

from restante.queue.drain_word import DrainEnd
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.handover_store import PastDrain
from restante.store.memory.memory_message import MemoryMessage
from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import Conflict
from restante.tenancy.model import Directory
from restante.tenancy.notice import Notice, NoticeFacts, NoticeKind
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.contract.making import ANNA, CONTENT, account, content_file, domain, message

SIZE = len(CONTENT)


@pytest.fixture
def state() -> MemoryState:
    """Two domains: the first with three messages of which the last is refused; the second none."""
    state = MemoryState()
    hosted = [
        replace(domain(name), id=number) for number, name in ((1, "a.example"), (2, "b.example"))
    ]
    state.directory = Directory(1, {"alpha": account()}, {}, {one.name: one for one in hosted}, {})
    file = content_file("one", b"content")
    state.files["one"] = b"content"
    state.mail = {
        1: MemoryMessage(message(1, 1, file=file), [ANNA]),
        2: MemoryMessage(message(2, 1), [ANNA]),
        3: MemoryMessage(message(3, 1), [], refused={ANNA}),
    }
    return state


def notice(number: int, channel_id: int, at: float) -> Notice:
    """A notice that is due at a time."""
    facts = NoticeFacts(NoticeKind.TEST, "alpha", "thing", "text", 5.0, {})
    return Notice(number, channel_id, f"key {number}", facts, 0, 1.0, at, 0, "")


def test_held_mail_is_counted_with_its_files(state: MemoryState) -> None:
    assert state.usage(1) == DomainUsage(3, 3 * SIZE + 7, refused=1)
    assert state.usage(2) == NO_USAGE
    assert (state.holds_mail(1), state.holds_mail(2)) == (True, False)
    assert [one.message.number for one in state.of(1)] == [1, 2, 3]


def test_a_message_takes_its_file_along(state: MemoryState) -> None:
    state.forget(2)
    assert state.files == {"one": b"content"}
    state.forget(1)
    assert (list(state.mail), state.files) == ([3], {})


def test_damage_of_a_file_marks_its_message_alone(state: MemoryState) -> None:
    state.park(content_file("one", b"content"), "is missing")
    assert state.mail[1].damaged == {ANNA}
    assert state.mail[1].replies == {ANNA: "damaged: is missing"}
    assert state.mail[2].held == [ANNA]


def test_a_domain_that_is_gone_has_no_account_and_is_a_conflict(state: MemoryState) -> None:
    assert (state.account_of(1), state.account_of(9)) == ("alpha", "")
    state.check_hosted(1)
    with pytest.raises(Conflict, match="domain 9 no longer exists"):
        state.check_hosted(9)


def test_a_removed_domain_takes_its_own_along_and_no_other_domains(state: MemoryState) -> None:
    for number in (1, 2):
        state.drains.open(number, 0.0, 60.0)
        state.marks[number, "kind"] = 1.0
        state.past_drains[number] = PastDrain(
            1.5, 2.5, "operator", DrainEnd.FINISHED, "", 3, 0, 0, ""
        )
        one = Recipient("anna", RecipientSource.LIST, is_there=True, at=1.0)
        state.recipients[number, one.source, one.name] = one
    state.domain_removed(1, 5.0)
    assert list(state.drains.records) == [2]
    assert list(state.marks) == [(2, "kind")]
    assert list(state.past_drains) == [2]
    assert [key[0] for key in state.recipients] == [2]


def test_a_channel_hastens_and_forgets_its_own_notices(state: MemoryState) -> None:
    state.notices = {
        one.number: one for one in (notice(1, 7, 50.0), notice(2, 7, 10.0), notice(3, 8, 50.0))
    }
    assert state.notices_of(7) == [1, 2]
    state.hasten_channel(7, 20.0)
    assert [one.next_attempt_at for one in state.notices.values()] == [20.0, 10.0, 50.0]
    state.forget_channel(7)
    assert list(state.notices) == [3]
