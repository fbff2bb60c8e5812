"""The cost of distance: how often the client waits for the server while it delivers messages."""

from collections.abc import Callable
from typing import Final

import pytest

from restante.queue.recipient_status import RecipientMove
from restante.smtp.pipelining import ContentPipelining
from tests.smtp.chunking_reference import ChunkingDestination, Refusal
from tests.smtp.client_talk import ClientTalk, mail
from tests.smtp.reference import ReferenceDestination

COUNT: Final = 500
HANDSHAKE: Final = 2  # greeting, EHLO


class Traveler(ClientTalk):
    """A client on a long path, whose windows are all quick enough for the next to be larger."""

    seconds_per_window = 0.1

    def __init__(self) -> None:
        messages = (
            mail(number, "250.b@b.example", reverse_path="250.250@a.example")
            for number in range(COUNT)
        )
        super().__init__(*messages, across=ContentPipelining.UNTRIED)
        self.waits = 0

    def travel(self, server: ReferenceDestination) -> "Traveler":
        """Carry flights to and fro until all is delivered."""
        while len(self.moves) < COUNT:
            self.waits += 1
            self.receive(server.says())
            server.receive(self.session.data_to_send())
        return self


@pytest.mark.parametrize(
    ("make", "per_message", "besides"),
    [
        (lambda: ReferenceDestination(offers=("HELP",)), 4, HANDSHAKE),
        (lambda: ReferenceDestination(), 1, HANDSHAKE + 1 + 2),  # noqa: PLW0108  until it has proven itself
    ],
)
def test_a_message_costs_so_many_round_trips(
    make: Callable[[], ReferenceDestination], per_message: int, besides: int
) -> None:
    client = Traveler().travel(make())
    assert client.waits == COUNT * per_message + besides


def test_with_chunking_a_window_costs_one() -> None:
    """1, then 8, then 64 each: 10 windows for 500 messages, plus one for the probe."""
    client = Traveler().travel(ChunkingDestination(Refusal.ENDS))
    assert client.waits == 10 + 1 + HANDSHAKE
    assert all(set(moves.values()) == {RecipientMove.DELIVERED} for moves in client.moves.values())
