"""The walk over held mail: forward only, each message once a round, loops marked refused."""

import asyncio
from collections.abc import Callable
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from restante.delivery.mail_supply import (
    BATCH_MESSAGES,
    FILE_OCTETS_AT_ONCE,
    FILES_AT_ONCE,
    MailSupply,
)
from restante.mail.message import ContentFile, HeldMessage
from restante.mail.message_origin import MessageOrigin
from restante.mail.received_field import HEADER_OCTETS
from restante.smtp.passed_client import PassedClient, passed_client
from restante.store.content_store import ContentStore
from restante.store.handover_store import HandoverStore
from restante.store.store_errors import ContentUnreachable, Damaged, StoreError
from tests.smtp.client_talk import mail

MARK = 7


class Shelf:
    """Held mail by number."""

    def __init__(self, *numbers: int) -> None:
        self.messages = [mail(number) for number in numbers]
        self.files: dict[str, bytes] = {}
        self.looked_into: list[str] = []
        self.damaged: set[str] = set()
        self.unreachable: set[str] = set()
        self.was_asked_for_origins = False

    async def held(
        self, _: int, after: int, limit: int, __: int, *, with_origins: bool, mark: int
    ) -> list[HeldMessage]:
        assert mark == MARK
        self.was_asked_for_origins = with_origins
        behind = (message for message in self.messages if message.place > after)
        return sorted(behind, key=lambda message: message.place)[:limit]

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        self.looked_into.append(file.name)
        if file.name in self.damaged:
            raise Damaged("it is not what was written")
        if file.name in self.unreachable:
            raise ContentUnreachable("no answer in time")
        if file.name not in self.files:
            raise StoreError("it cannot be read now")
        return self.files[file.name][:beginning]

    def add_large(self, number: int, head: bytes, rest: bytes | None) -> None:
        """Put a message with a file on the shelf; None: the file is missing."""
        name = f"file-{number}"
        if rest is not None:
            self.files[name] = rest
        self.messages.append(
            mail(number, content=head, file=ContentFile(name, len(rest or b""), 0))
        )


def supply_of(shelf: Shelf, hops_limit: int = 3) -> MailSupply:
    return MailSupply(
        cast(HandoverStore, shelf),
        cast(ContentStore, shelf),
        1,
        "mx2.example.net",
        lambda: hops_limit,
        mark=MARK,
    )


def take_all(supply: MailSupply) -> list[int]:
    taken = []
    while (message := supply.take()) is not None:
        taken.append(message.number)
    return taken


def read(supply: MailSupply) -> bool:
    return asyncio.run(supply.read())


def test_it_reads_on_from_where_it_was_and_says_when_there_is_no_more() -> None:
    shelf = Shelf(*range(1, BATCH_MESSAGES + 11))
    supply = supply_of(shelf)
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


def test_mail_read_and_not_sent_is_read_again_by_the_next_attempt() -> None:
    supply = supply_of(Shelf(1, 2, 3, 4))
    read(supply)
    supply.take()
    supply.take()
    supply.lay_down()
    assert supply.is_empty
    read(supply)
    assert take_all(supply) == [3, 4]


def test_a_message_can_be_given_back_once_in_a_round() -> None:
    supply = supply_of(Shelf(1, 2, 3))
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
    supply = supply_of(Shelf(1, 2))
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
    supply = supply_of(shelf)
    read(supply)
    parts = [supply.take() for _ in range(3)]
    assert [len(part.envelope.forward_paths) for part in parts if part] == [100, 100, 1]
    assert all(part is not None and supply.give_back(part) for part in parts)


RECEIVED = b"Received: x\r\n"


def circling(supply: MailSupply) -> list[int]:
    """Read and take everything; return the messages that loop."""
    while read(supply):
        pass
    found = []
    while (message := supply.take()) is not None:
        if message.goes_in_a_circle:
            found.append(message.number)
    return found


def test_mail_with_too_many_hops_is_marked() -> None:
    shelf = Shelf()
    shelf.messages = [mail(hops, content=RECEIVED * hops + b"\r\nbody") for hops in range(1, 8)]
    assert circling(supply_of(shelf, hops_limit=3)) == [4, 5, 6, 7]


def test_large_content_is_looked_into_as_far_as_a_header_goes() -> None:
    shelf = Shelf()
    padding = b"X-Padding: %s\r\n" % (b"x" * HEADER_OCTETS)
    shelf.add_large(1, RECEIVED, RECEIVED * 2)
    shelf.add_large(2, RECEIVED, RECEIVED * 3 + padding)
    shelf.add_large(3, RECEIVED, padding + RECEIVED * 3)  # not where anybody's fields stand
    shelf.add_large(4, RECEIVED, b"Subject: x\r\n\r\n" + RECEIVED * 3)
    shelf.add_large(5, RECEIVED, None)  # sending it will tell
    assert circling(supply_of(shelf, hops_limit=3)) == [2]


def test_all_parts_of_a_message_that_goes_in_a_circle_are_marked() -> None:
    shelf = Shelf()
    shelf.messages = [
        mail(1, *(f"{index}@b.example" for index in range(101)), content=RECEIVED * 4)
    ]
    assert circling(supply_of(shelf, hops_limit=3)) == [1, 1]


def test_a_batch_of_large_mail_does_not_wait_for_its_last_file() -> None:
    shelf = Shelf()
    for number in range(1, 2 * FILES_AT_ONCE + 2):
        shelf.add_large(number, RECEIVED, b"")
    shelf.messages.append(mail(1000))
    supply = supply_of(shelf)
    assert read(supply)
    assert len(shelf.looked_into) == FILES_AT_ONCE
    assert take_all(supply) == [*range(1, FILES_AT_ONCE + 1)]
    assert supply.is_low
    supply.lay_down()  # mail that nobody took is read again
    assert read(supply)
    assert read(supply)
    assert take_all(supply) == [*range(FILES_AT_ONCE + 1, 2 * FILES_AT_ONCE + 2), 1000]
    assert len(set(shelf.looked_into)) == len(shelf.looked_into)
    supply.begin_round()
    assert read(supply)
    assert take_all(supply)[0] == 1


def test_a_batch_of_very_large_mail_does_not_wait_for_much_of_it() -> None:
    shelf = Shelf()
    for number in (1, 2, 3):
        shelf.add_large(number, RECEIVED, bytes(FILE_OCTETS_AT_ONCE // 2))
    supply = supply_of(shelf)
    assert read(supply)
    assert take_all(supply) == [1, 2]
    assert read(supply)
    assert take_all(supply) == [3]


def test_damaged_content_is_passed_over_and_keeps_nobody_back() -> None:
    shelf = Shelf()
    for number in (1, 2, 3):
        shelf.add_large(number, RECEIVED, b"content")
    shelf.damaged = {"file-1", "file-3"}
    supply = supply_of(shelf)
    assert read(supply)
    assert take_all(supply) == [2]
    shelf.messages.clear()  # the store has marked them
    assert not read(supply)


def test_content_out_of_reach_is_passed_over_and_told_once_a_round() -> None:
    shelf = Shelf()
    for number in (1, 2, 3):
        shelf.add_large(number, RECEIVED, b"content")
    shelf.unreachable = {"file-1", "file-3"}
    supply = supply_of(shelf)
    assert read(supply)
    assert take_all(supply) == [2]
    told = supply.take_unreachable()
    assert [(one.message.number, one.reason) for one in told] == [
        (1, "no answer in time"),
        (3, "no answer in time"),
    ]
    assert supply.take_unreachable() == []
    assert supply.damaged == 0
    shelf.unreachable.clear()
    supply.begin_round()
    assert read(supply)
    assert take_all(supply) == [1, 2, 3]


def test_smtputf8_is_asked_for_only_where_an_address_or_a_header_needs_it() -> None:
    """A client may say it of any mail; a destination without it would refuse plain mail then."""
    shelf = Shelf()
    for number, content in (
        (1, b"To: x\r\n\r\n\xc3\xbc\r\n"),
        (2, b"To: \xc3\xbc\r\n\r\nx\r\n"),
        (3, b"To: x\r\n"),
    ):
        message = mail(number, content=content)
        shelf.messages.append(
            message._replace(envelope=message.envelope._replace(needs_smtputf8=True))
        )
    supply = supply_of(shelf)
    read(supply)
    taken = [supply.take() for _ in range(3)]
    assert [one.envelope.needs_smtputf8 for one in taken if one] == [False, True, True]


def test_a_first_line_that_would_do_harm_is_set_off_in_what_is_sent() -> None:
    shelf = Shelf()
    shelf.messages.append(mail(1, content=b" joins\r\n"))
    shelf.add_large(2, b"", b"From a@b\r\nTo: x\r\n\r\n")
    supply = supply_of(shelf)
    read(supply)
    small, large = supply.take(), supply.take()
    assert small
    assert large
    assert (small.head, small.size) == (b"\r\n joins\r\n", 10)
    assert (large.head, large.size) == (b"X-Mailbox-Line: ", 16 + 19)


def walk(supply: MailSupply) -> list[int]:
    taken = []
    while read(supply):
        taken += take_all(supply)
    return taken


def test_a_walk_that_begins_behind_a_message_takes_those_up_to_it_last() -> None:
    shelf = Shelf(*range(1, 2 * BATCH_MESSAGES))
    supply = supply_of(shelf)
    supply.begin_behind(BATCH_MESSAGES + 5)
    behind = list(range(BATCH_MESSAGES + 6, 2 * BATCH_MESSAGES))
    assert walk(supply) == behind + list(range(1, BATCH_MESSAGES + 6))
    assert supply.is_exhausted
    shelf.messages.append(mail(1000))
    assert walk(supply) == [1000], "what came meanwhile, and nothing twice"


def test_mail_that_comes_while_the_left_out_is_taken_is_taken_once() -> None:
    shelf = Shelf(1, 2, 3)
    supply = supply_of(shelf)
    supply.begin_behind(2)
    assert read(supply)
    assert take_all(supply) == [3]
    shelf.messages.append(mail(4))
    assert walk(supply) == [4, 1, 2]
    shelf.messages.append(mail(5))
    assert walk(supply) == [5]


def test_a_walk_that_begins_behind_the_newest_or_a_removed_message_takes_all() -> None:
    for place in (3, 9):
        supply = supply_of(Shelf(1, 2, 3))
        supply.begin_behind(place)
        assert walk(supply) == [1, 2, 3]


def suspect(number: int) -> HeldMessage:
    made = mail(number)
    return made._replace(envelope=made.envelope._replace(is_suspect=True))


def test_suspect_mail_comes_last_also_over_several_attempts() -> None:
    shelf = Shelf(2, 4)
    shelf.messages += [suspect(1), suspect(3), suspect(5)]
    supply = supply_of(shelf)
    assert read(supply)
    first = [supply.take(), supply.take(), supply.take()]
    assert [one.number for one in first if one is not None] == [2, 4, 1]
    supply.lay_down()
    assert read(supply)
    assert take_all(supply) == [3, 5]
    assert not read(supply)
    supply.begin_round()
    assert read(supply)
    assert take_all(supply) == [2, 4, 1, 3, 5]


def test_a_walk_that_begins_behind_a_message_takes_suspect_mail_last_too() -> None:
    shelf = Shelf(2, 4, 6)
    shelf.messages += [suspect(1), suspect(5)]
    supply = supply_of(shelf)
    supply.begin_behind(4)
    taken = []
    while read(supply):
        taken += take_all(supply)
    assert taken == [6, 2, 4, 1, 5]


def test_suspect_mail_keeps_no_new_mail_waiting() -> None:
    """Also while suspect mail is in delivery, or was tried and is still held."""
    shelf = Shelf(2)
    shelf.messages += [suspect(number) for number in range(3, 2 * BATCH_MESSAGES)]
    supply = supply_of(shelf)
    assert read(supply)
    begun = take_all(supply)
    shelf.messages += [mail(1001), suspect(1002), mail(1003)]
    assert walk(supply)[:2] == [1001, 1003]
    shelf.messages.append(mail(1004))
    assert walk(supply) == [1004]
    assert begun[:2] == [2, 3]
    supply.begin_round()
    assert walk(supply)[:5] == [2, 1001, 1003, 1004, 3]


def deferred(number: int) -> HeldMessage:
    return suspect(number)._replace(was_deferred=True)


def test_mail_deferred_by_a_policy_comes_behind_suspect_mail_and_keeps_none_waiting() -> None:
    shelf = Shelf(2, 4)
    shelf.messages += [deferred(1), suspect(3), deferred(5), deferred(6)]
    supply = supply_of(shelf)
    assert read(supply)
    first = [supply.take() for _ in range(4)]
    assert [one.number for one in first if one is not None] == [2, 4, 3, 1]
    supply.lay_down()
    shelf.messages += [suspect(7), mail(8)]
    assert walk(supply) == [8, 7, 5, 6]
    supply.begin_round()
    assert walk(supply) == [2, 4, 8, 3, 7, 1, 5, 6]


def test_named_mail_of_each_kind_is_found() -> None:
    shelf = Shelf(1, 2)
    shelf.messages += [suspect(3), suspect(4), deferred(5), deferred(6)]
    supply = supply_of(shelf)
    supply.only([1, 3, 5, 9])
    assert walk(supply) == [1, 3, 5]


@given(kinds=st.lists(st.sampled_from([mail, suspect, deferred]), max_size=12), data=st.data())
@settings(max_examples=100, deadline=None)
def test_each_message_of_each_kind_is_taken_once_a_round(
    kinds: list[Callable[[int], HeldMessage]], data: st.DataObject
) -> None:
    shelf = Shelf()
    supply = supply_of(shelf)
    taken: list[int] = []
    for number, kind in enumerate(kinds, 1):
        shelf.messages.append(kind(number))
        if data.draw(st.booleans()):
            read(supply)
            some = (supply.take() for _ in range(data.draw(st.integers(0, 3))))
            taken += [one.number for one in some if one is not None]
        if data.draw(st.booleans()):
            supply.lay_down()
    while read(supply):
        taken += take_all(supply)
    taken += take_all(supply)
    assert sorted(taken) == list(range(1, len(kinds) + 1))


def test_new_mail_between_two_attempts_goes_before_suspect_mail_that_is_left() -> None:
    shelf = Shelf(1)
    shelf.messages += [suspect(2), suspect(3), suspect(4)]
    supply = supply_of(shelf)
    assert read(supply)
    tried = [supply.take(), supply.take()]
    assert [one.number for one in tried if one is not None] == [1, 2]
    supply.lay_down()
    shelf.messages.append(mail(5))
    assert walk(supply) == [5, 3, 4]


def of_clients(*hosts: int) -> Shelf:
    """Return a shelf with a message of each of these clients, numbered from 1."""
    shelf = Shelf(*range(1, len(hosts) + 1))
    shelf.messages = [
        message._replace(origin=MessageOrigin(f"198.51.100.{host}", 1, "h"))
        for message, host in zip(shelf.messages, hosts, strict=True)
    ]
    return shelf


def client(host: int) -> PassedClient | None:
    return passed_client(MessageOrigin(f"198.51.100.{host}", 1, "h"))


def taken(supply: MailSupply, host: int) -> int:
    message = supply.take(client(host))
    assert message is not None
    return message.number


def test_origins_are_read_only_where_mail_is_kept_by_client() -> None:
    shelf = of_clients(1)
    supply = supply_of(shelf)
    read(supply)
    asked = [shelf.was_asked_for_origins]
    assert supply.take() is not None
    supply.begin_round()
    supply.group_by_client(is_wanted=True)
    read(supply)
    asked.append(shelf.was_asked_for_origins)
    assert asked == [False, True]
    assert supply.take() is None
    assert taken(supply, 1) == 1


def test_an_attempt_goes_on_with_what_the_one_before_read_and_did_not_send() -> None:
    """Those that it tried are still on the shelf: they were deferred."""
    supply = supply_of(of_clients(1, 2, 1, 2, 3))
    supply.group_by_client(is_wanted=True)
    read(supply)
    assert [taken(supply, 2), taken(supply, 2), taken(supply, 3)] == [2, 4, 5]
    supply.lay_down()
    supply.group_by_client(is_wanted=True)
    read(supply)
    assert [taken(supply, 1)] == [1]
    assert supply.waiting == 1
    supply.lay_down()
    supply.group_by_client(is_wanted=False)
    read(supply)
    assert take_all(supply) == [3]
    assert not read(supply)
    supply.begin_round()
    read(supply)
    assert take_all(supply) == [1, 2, 3, 4, 5]


def test_new_mail_follows_what_an_attempt_left() -> None:
    shelf = of_clients(1, 2, 1)
    supply = supply_of(shelf)
    supply.group_by_client(is_wanted=True)
    read(supply)
    assert taken(supply, 2) == 2
    supply.lay_down()
    shelf.messages += of_clients(9, 9, 9, 2).messages[3:]
    while read(supply):
        pass
    assert [taken(supply, 1), taken(supply, 1), taken(supply, 2)] == [1, 3, 4]
    assert supply.is_empty


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=12),
)
def test_in_a_round_of_many_attempts_each_message_is_taken_once(
    hosts: list[int], turns: list[tuple[int, int]]
) -> None:
    """An attempt takes some mail of one client and ends. Nothing leaves the shelf."""
    supply, met = supply_of(of_clients(*hosts)), []
    for host, count in turns:
        supply.group_by_client(is_wanted=True)
        read(supply)
        met += [one.number for _ in range(count) if (one := supply.take(client(host)))]
        supply.lay_down()
    supply.group_by_client(is_wanted=True)
    while read(supply):
        for host in (1, 2, 3):
            while (one := supply.take(client(host))) is not None:
                met.append(one.number)
    assert sorted(met) == list(range(1, len(hosts) + 1))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.booleans(), max_size=6),  # new mail: whether it is suspect
            st.lists(st.integers(1, 3), max_size=6),  # the clients whose next message is taken
            st.booleans(),  # whether mail is kept by client
        ),
        max_size=8,
    )
)
def test_in_a_round_nothing_is_taken_twice_or_forgotten_while_mail_of_both_kinds_comes(
    attempts: list[tuple[list[bool], list[int], bool]],
) -> None:
    """Nothing leaves the shelf, as if all was deferred."""
    shelf, met = of_clients(), []
    supply = supply_of(shelf)
    for arrivals, hosts, is_grouped in [*attempts, ([], [], True)]:
        supply.group_by_client(is_wanted=is_grouped)
        read(supply)
        for is_suspect in arrivals:
            number = len(shelf.messages) + 1
            made = suspect(number) if is_suspect else mail(number)
            origin = MessageOrigin(f"198.51.100.{number % 3 + 1}", 1, "h")
            shelf.messages.append(made._replace(origin=origin))
        for host in hosts:
            met += [one for one in [supply.take(client(host) if is_grouped else None)] if one]
            read(supply)
        supply.lay_down()
    supply.group_by_client(is_wanted=False)
    while read(supply):
        while (one := supply.take()) is not None:
            met.append(one)
    assert sorted(one.number for one in met) == list(range(1, len(shelf.messages) + 1))


def test_a_connection_is_dry_when_others_wait_or_nothing_more_comes() -> None:
    supply = supply_of(of_clients(1, 2))
    assert not supply.is_dry(client(1))  # mail is not kept by client
    supply.group_by_client(is_wanted=True)
    assert not supply.is_dry(client(1))  # there may be more
    read(supply)
    assert not supply.is_dry(client(1))
    taken(supply, 1)
    assert supply.is_dry(client(1))
    taken(supply, 2)
    assert not supply.is_dry(client(1))
    read(supply)
    assert supply.is_dry(client(1))
