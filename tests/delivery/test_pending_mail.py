"""Mail that waits, by its client."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from restante.delivery.pending_mail import PendingMail
from restante.mail.message import HeldMessage
from restante.mail.message_origin import MessageOrigin
from restante.smtp.passed_client import PassedClient, passed_client
from tests.smtp.client_talk import mail


def origin(host: int) -> MessageOrigin | None:
    return MessageOrigin(f"198.51.100.{host}", 1, "h") if host else None


def client(host: int) -> PassedClient | None:
    return passed_client(origin(host))


def of(number: int, host: int) -> HeldMessage:
    return mail(number)._replace(origin=origin(host))


def pending(*hosts: int, is_grouped: bool = True) -> PendingMail:
    made = PendingMail()
    made.is_grouped = is_grouped
    for number, host in enumerate(hosts, 1):
        made.append(of(number, host))
    return made


def taken(waiting: PendingMail, host: int) -> list[int]:
    found = []
    while (message := waiting.take(client(host))) is not None:
        found.append(message.number)
    return found


def test_each_client_gets_its_own_in_order() -> None:
    waiting = pending(1, 2, 1, 0, 2)
    assert taken(waiting, 1) == [1, 3]
    assert taken(waiting, 3) == []
    assert taken(waiting, 0) == [4]
    assert len(waiting) == 2
    assert [message.number for message in waiting] == [2, 5]


def test_without_groups_everything_is_one() -> None:
    assert taken(pending(1, 2, 0, is_grouped=False), 0) == [1, 2, 3]


def test_a_message_can_come_back_to_either_end() -> None:
    waiting = pending(1, 1)
    waiting.append(of(8, 1), in_front=True)
    waiting.append(of(9, 1))
    assert taken(waiting, 1) == [8, 1, 2, 9]


def test_the_next_connection_is_for_the_first_client_without_one_then_for_the_one_with_most() -> (
    None
):
    waiting = pending(1, 1, 2, 3, 3, 3)
    assert waiting.needy({}) == client(1)
    assert waiting.needy({client(1): 1}) == client(2)
    served = {client(1): 1, client(2): 1, client(3): 1}
    assert waiting.needy(served) == client(3)
    assert waiting.needy(served | {client(3): 2}) == client(1)
    assert pending().needy({}) is None


def test_a_client_is_worth_a_second_connection_only_for_several_messages() -> None:
    assert not pending().is_worth_another({})
    assert pending(1).is_worth_another({})
    assert not pending(1, 1, 1).is_worth_another({client(1): 1})
    assert pending(1, 1, 1, 1).is_worth_another({client(1): 1})
    assert not pending(1, 1, 1, 1).is_worth_another({client(1): 2})


def test_the_mail_of_a_silent_network_is_behind_that_of_others_until_it_gets_an_answer() -> None:
    waiting, one = pending(1, 2, 1, 3), client(1)
    assert one is not None
    waiting.put_behind(one, 7.0)
    waiting.append(of(5, 1))
    assert waiting.count_behind == 3
    assert [message.number for message in waiting] == [2, 4, 1, 3, 5]
    assert waiting.needy({}) == client(2)
    assert waiting.waiting_of(one) == 3
    waiting.bring_back(one)
    assert waiting.count_behind == 0
    assert taken(waiting, 1) == [1, 3, 5]


def test_a_silent_client_gets_a_connection_only_if_no_other_waits_and_no_second_one() -> None:
    waiting, one = pending(1, 1, 1, 1, 1, 1, 2), client(1)
    assert one is not None
    waiting.put_behind(one, 7.0)
    assert not waiting.is_worth_another({client(2): 1})
    assert taken(waiting, 2) == [7]
    assert waiting.is_worth_another({})
    assert not waiting.is_worth_another({one: 1})
    assert waiting.has_unserved({})
    assert not waiting.has_unserved({one: 1})


def test_surplus_is_of_the_client_that_waited_longest_or_has_the_most() -> None:
    waiting = pending(1, 2, 2, 3, 3, 3)
    for host, seconds in ((1, 28.0), (2, 7.0), (3, 7.0)):
        one = client(host)
        assert one is not None
        waiting.put_behind(one, seconds)
    found = [waiting.take_surplus() for _ in range(7)]
    assert [message and message.number for message in found] == [1, 4, 2, 5, 3, 6, None]
    assert len(waiting) == waiting.count_behind == 0


def test_the_mail_of_a_refused_network_stays_behind_although_it_got_an_answer() -> None:
    waiting, one = pending(1, 2, 1), client(1)
    assert one is not None
    waiting.put_refused_behind(one)
    waiting.put_behind(one, 7.0)
    waiting.append(of(4, 1))
    waiting.append(of(5, 3))
    assert [message.number for message in waiting] == [2, 5, 1, 3, 4]
    waiting.bring_back(one)
    assert not waiting.is_silent(one)
    assert waiting.count_behind == 3
    assert taken(waiting, 2) == [2]
    assert taken(waiting, 3) == [5]
    assert waiting.needy({}) == one
    assert not waiting.is_worth_another({one: 1})


def test_surplus_is_of_the_network_refused_most_so_that_each_is_tried_again_in_its_turn() -> None:
    waiting = pending(1, 2, 3, 3)
    for host in (1, 2, 2, 3):
        one = client(host)
        assert one is not None
        waiting.put_refused_behind(one)
    found = [waiting.take_surplus() for _ in range(4)]
    assert [message and message.number for message in found] == [2, 3, 1, 4]


def test_a_network_with_a_connection_comes_behind_those_without() -> None:
    waiting = PendingMail()
    waiting.is_grouped = True
    for number, (host, hello) in enumerate(((1, "a"), (1, "b"), (2, "c")), 1):
        sent_by = MessageOrigin(f"198.51.100.{host}", 1, hello)
        waiting.append(mail(number)._replace(origin=sent_by))
    first, second, other = (waiting.client_of(message) for message in waiting)
    assert waiting.needy({first: 1}) == other
    assert waiting.needy({first: 1, other: 1}) == second


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30), st.data())
def test_nothing_is_lost_and_nothing_goes_to_another(
    added: list[tuple[int, bool]], data: st.DataObject
) -> None:
    waiting = pending()
    left: Counter[int] = Counter()
    for number, (host, in_front) in enumerate(added, 1):
        waiting.append(of(number, host), in_front=in_front)
        left[host] += 1
        if data.draw(st.booleans()):
            wanted = data.draw(st.integers(0, 3))
            message = waiting.take(client(wanted))
            assert (message is None) == (left[wanted] == 0)
            if message is not None:
                assert passed_client(message.origin) == client(wanted)
                left[wanted] -= 1
        assert len(waiting) == left.total() == len(list(waiting))
    waiting.clear()
    assert len(waiting) == 0
    assert not list(waiting)
