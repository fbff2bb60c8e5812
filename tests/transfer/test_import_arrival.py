"""A stream of imported mail becomes complete messages, or is refused."""

import hashlib
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.admin.held_mail import QueueSelection, list_queue
from restante.mail.import_stream import (
    WHOLE,
    pack_failure,
    pack_label,
)
from restante.store.memory import MemoryStore
from restante.transfer import import_arrival
from restante.transfer.import_arrival import MAX_MESSAGES, ImportArrival
from restante.transfer.transfer_error import TransferError, TransferFault
from tests.admin.admin_world import HEAD, all_of, run
from tests.transfer.streams import LARGE, bring_in, hosting, packed_message


@pytest.mark.parametrize(
    "stream",
    [
        packed_message() + b"{",
        packed_message()[:-1],
        packed_message() + pack_label("{}") + WHOLE,
        packed_message() + packed_message(LARGE)[:-10],
        packed_message(LARGE)[:-2] + pack_failure("it broke"),
        packed_message(color="blue"),
        packed_message(dsn={"ret": "ALL"}),
        packed_message(dsn={"envid": "a b"}),
        packed_message(dsn={"recipients": {"x@alpha.example": {"notify": "MAYBE"}}}),
        packed_message(dsn={"recipients": {"x@alpha.example": {}}}),
        packed_message() * (MAX_MESSAGES + 1),
    ],
    ids=[
        "half a label",
        "no end",
        "no envelope",
        "cut",
        "broken",
        "unknown",
        "ret",
        "envid",
        "notify",
        "nothing",
        "too many",
    ],
)
def test_a_stream_that_is_not_whole_leaves_nothing(stream: bytes) -> None:
    async def story() -> None:
        admin = await hosting()
        with pytest.raises(TransferError) as caught:
            await bring_in(admin, stream)
        assert caught.value.fault is TransferFault.MALFORMED
        assert await all_of(list_queue(admin.context, QueueSelection())) == []
        assert admin.store.state.files == {}

    run(story())


CONTENTS = [HEAD, b"", b"a\nb\rc", LARGE]


def arrived(stream: bytes, sizes: list[int]) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return each message's content and digest, and the number of files; parts have these sizes."""

    async def story() -> tuple[list[tuple[bytes, bytes]], int]:
        store = MemoryStore()
        arrival, start, steps = ImportArrival(store.reception), 0, itertools.cycle(sizes)
        while start < len(stream):
            end = start + next(steps)
            await arrival.receive(stream[start:end])
            start = end
        arrival.close()
        files = len(store.state.files)
        found = [
            (one.content or store.state.files[one.file.name], one.digest)
            if one.file
            else (one.content, one.digest)
            for one in arrival.messages
        ]
        arrival.discard(even_used=True)
        assert store.state.files == {}
        return found, files

    return run(story())


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
@settings(max_examples=20)
def test_however_a_stream_is_cut_its_messages_are_the_same(sizes: list[int]) -> None:
    stream = b"".join(packed_message(content) for content in CONTENTS)
    found, files = arrived(stream, sizes)
    expected = [HEAD, b"", b"a\r\nb\r\nc", LARGE]
    assert [content for content, _ in found] == expected
    assert [digest for _, digest in found] == [hashlib.sha256(one).digest() for one in expected]
    assert files == 1, "only the large one goes to the disk"


def test_content_beyond_the_memory_of_a_request_goes_to_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_arrival, "MAX_INLINE", 2 * len(HEAD))
    _, files = arrived(packed_message(HEAD) * 4, [1000])
    assert files == 2


@pytest.mark.parametrize(
    ("label", "message_id"),
    [({}, "<a@b>"), ({"message_id": "<of@label>"}, "<of@label>")],
    ids=["from the header", "from the label"],
)
def test_the_message_id_of_the_label_comes_first(label: dict[str, Any], message_id: str) -> None:
    async def story() -> None:
        arrival = ImportArrival(MemoryStore().reception)
        content = b"Message-ID: <a@b>\r\n\r\n"
        await arrival.receive(packed_message(content, **label))
        assert [one.message_id for one in arrival.messages] == [message_id]

    run(story())


def test_a_fault_of_a_label_names_the_field() -> None:
    with pytest.raises(TransferError, match="import: forward_paths") as caught:
        arrived(packed_message(forward_paths=[]), [1000])
    assert caught.value.fault is TransferFault.MALFORMED
