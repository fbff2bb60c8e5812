"""The connections closed when there are too many, and the event of that."""

from dataclasses import dataclass

from restante.telemetry.metrics import METRICS
from restante.web.http_connections import Cut, HttpConnections, HttpService


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
    assert two.take_closed() == {Cut.TOO_MANY: 1}
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
    assert one.take_closed() == {Cut.TOO_MANY: 1}


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
    one.expire(late, Cut.NO_REQUEST)
    one.expire(late, Cut.NO_REQUEST)
    assert (late.is_cut, one.count) == (True, 0)
    assert one.take_closed() == {Cut.NO_REQUEST: 1}


def test_the_metric_has_all_services_and_reasons() -> None:
    [metric] = [each for each in METRICS if each.name == "restante_http_connections_cut"]
    assert [label.values for label in metric.labels] == [tuple(HttpService), tuple(Cut)]
