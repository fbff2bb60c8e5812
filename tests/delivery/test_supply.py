"""The walk over held mail: forward only, each message once in a round."""

import asyncio

from restante.delivery.supply import BATCH_MESSAGES, Supply
from restante.mail.message import HeldMessage
from tests.smtp.client_talk import mail


class Shelf:
    """Held mail by number."""

    def __init__(self, *numbers: int) -> None:
        self.messages = [mail(number) for number in numbers]

    async def held(self, _: int, after: int, limit: int, __: int) -> list[HeldMessage]:
        return [message for message in self.messages if message.number > after][:limit]


def take_all(supply: Supply) -> list[int]:
    taken = []
    while (message := supply.take()) is not None:
        taken.append(message.number)
    return taken


def read(supply: Supply) -> bool:
    return asyncio.run(supply.read())


def test_it_reads_on_from_where_it_was_and_says_when_there_is_no_more() -> None:
    shelf = Shelf(*range(1, BATCH_MESSAGES + 11))
    supply = Supply(shelf, 1)
    lows = [supply.is_low]
    assert read(supply)
    lows.append(supply.is_low)
    assert read(supply)
    assert take_all(supply) == list(range(1, BATCH_MESSAGES + 11))
    assert not read(supply)
    assert supply.is_exhausted
    assert [*lows, supply.is_low] == [True, False, False]
    shelf.messages.append(mail(1000))
    assert read(supply)
    assert take_all(supply) == [1000]


def test_what_was_read_and_not_sent_is_read_again_by_the_next_attempt() -> None:
    supply = Supply(Shelf(1, 2, 3, 4), 1)
    read(supply)
    supply.take()
    supply.take()
    supply.lay_down()
    assert supply.is_empty
    read(supply)
    assert take_all(supply) == [3, 4]


def test_a_message_can_be_given_back_once_in_a_round() -> None:
    supply = Supply(Shelf(1, 2, 3), 1)
    read(supply)
    first, second = supply.take(), supply.take()
    assert first is not None
    assert second is not None
    assert supply.give_back(first)
    supply.lay_down()
    read(supply)
    assert take_all(supply) == [1, 2, 3]
    assert not supply.give_back(first)
    assert supply.give_back(second)
    supply.begin_round()
    read(supply)
    assert supply.give_back(first)


def test_a_new_round_begins_with_the_oldest() -> None:
    supply = Supply(Shelf(1, 2), 1)
    read(supply)
    take_all(supply)
    supply.left_behind = 1
    supply.begin_round()
    assert supply.left_behind == 0
    read(supply)
    assert take_all(supply) == [1, 2]


def test_recipients_beyond_a_hundred_are_another_transaction() -> None:
    shelf = Shelf()
    shelf.messages = [mail(1, *(f"{index}@b.example" for index in range(201)))]
    supply = Supply(shelf, 1)
    read(supply)
    parts = [supply.take() for _ in range(3)]
    assert [len(part.envelope.forward_paths) for part in parts if part] == [100, 100, 1]
    assert all(part is not None and supply.give_back(part) for part in parts)
