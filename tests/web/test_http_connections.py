"""The connections closed when there are too many, and the event of that."""

from dataclasses import dataclass

from restante.telemetry.metrics import METRICS
from restante.web.http_connections import ConnectionCut, HttpConnections, HttpService


@dataclass(eq=False)
class Connection:
    """One that takes note of being cut."""

    is_cut: bool = False

    def cut(self) -> None:
        self.is_cut = True


def limited_to(limit: int) -> HttpConnections:
    return HttpConnections(HttpService.METRICS, limit)


def test_the_oldest_idle_connection_makes_room() -> None:
    two, (first, second, third) = limited_to(2), (Connection(), Connection(), Connection())
    assert all(two.admits(each) for each in (first, second, third))
    assert [each.is_cut for each in (first, second, third)] == [True, False, False]
    assert two.count == 2
    assert two.take_closed() == {ConnectionCut.TOO_MANY: 1}
    assert two.take_closed() == {}


def test_one_with_a_request_under_way_stays() -> None:
    two, (busy, idle, new) = limited_to(2), (Connection(), Connection(), Connection())
    assert two.admits(busy)
    two.began(busy)
    assert two.admits(idle)
    assert two.admits(new)
    assert (busy.is_cut, idle.is_cut) == (False, True)


def test_where_all_are_busy_the_new_one_goes() -> None:
    one, (busy, new) = limited_to(1), (Connection(), Connection())
    assert one.admits(busy)
    one.began(busy)
    assert not one.admits(new)
    assert (busy.is_cut, one.count) == (False, 1)
    assert one.take_closed() == {ConnectionCut.TOO_MANY: 1}


def test_a_busy_one_that_yields_makes_room_after_the_idle_ones() -> None:
    three, (busy, yielding, idle) = limited_to(3), (Connection(), Connection(), Connection())
    newer, newest, last = Connection(), Connection(), Connection()
    assert all(three.admits(each) for each in (busy, yielding, idle))
    for each in (busy, yielding):
        three.began(each)
    three.yields(yielding)
    assert three.admits(newer)
    assert (idle.is_cut, yielding.is_cut) == (True, False)
    three.began(newer)
    assert three.admits(newest)
    assert (yielding.is_cut, busy.is_cut, newer.is_cut) == (True, False, False)
    three.began(newest)
    assert not three.admits(last)
    assert three.take_closed() == {ConnectionCut.TOO_MANY: 3}


def test_one_that_stays_after_all_makes_no_room() -> None:
    one, (proved, new) = limited_to(1), (Connection(), Connection())
    assert one.admits(proved)
    one.began(proved)
    one.yields(proved)
    one.stays(proved)
    assert not one.admits(new)
    assert not proved.is_cut


def test_one_yields_for_its_present_request_alone() -> None:
    one, (first, new) = limited_to(1), (Connection(), Connection())
    one.yields(first)
    assert one.admits(first)
    one.yields(first)
    one.began(first)
    assert not one.admits(new), "it was not busy when it yielded"
    one.yields(first)
    one.answered(first)
    one.began(first)
    assert not one.admits(new), "that request was answered"
    one.yields(first)
    one.left(first)
    assert one.admits(new)
    assert not first.is_cut


def test_a_block_at_its_limit_closes_its_own_that_yields() -> None:
    connections = HttpConnections(HttpService.WEB, 4, block_limit=1)
    other, mine, new = Connection(), Connection(), Connection()
    for each, block in ((other, 1), (mine, 2)):
        assert connections.admits(each, block)
        connections.began(each)
        connections.yields(each)
    assert connections.admits(new, 2)
    assert (other.is_cut, mine.is_cut) == (False, True)
    assert connections.take_closed() == {ConnectionCut.TOO_MANY_FROM_BLOCK: 1}


def test_a_block_that_is_turned_away_closes_nobody_else() -> None:
    connections = HttpConnections(HttpService.WEB, 1, turns_away=lambda block: block == 2)
    present, turned_away, new = Connection(), Connection(), Connection()
    assert connections.admits(present, 1)
    assert not connections.admits(turned_away, 2)
    assert not present.is_cut
    assert connections.take_closed() == {ConnectionCut.STRANGER: 1}
    assert connections.admits(new)  # it has no block


def test_an_answered_one_is_idle_again_and_the_youngest_of_them() -> None:
    two, (first, second, third) = limited_to(2), (Connection(), Connection(), Connection())
    assert two.admits(first)
    assert two.admits(second)
    two.began(first)
    two.answered(first)
    assert two.admits(third)
    assert (first.is_cut, second.is_cut) == (False, True)


def test_each_gives_its_place_back_once() -> None:
    one, (first, second) = limited_to(1), (Connection(), Connection())
    assert one.admits(first)
    one.left(first)
    one.left(first)
    one.left(second)
    assert one.count == 0
    one.began(first)
    one.answered(first)
    assert one.count == 0, "a connection that has left does not come back"


def test_one_that_is_late_is_cut_and_counted_once() -> None:
    one, late = limited_to(1), Connection()
    assert one.admits(late)
    one.expire(late, ConnectionCut.NO_REQUEST)
    one.expire(late, ConnectionCut.NO_REQUEST)
    assert (late.is_cut, one.count) == (True, 0)
    assert one.take_closed() == {ConnectionCut.NO_REQUEST: 1}


def test_the_metric_has_all_services_and_reasons() -> None:
    [metric] = [each for each in METRICS if each.name == "restante_http_connections_cut"]
    assert [label.values for label in metric.labels] == [tuple(HttpService), tuple(ConnectionCut)]
