"""The simulation of a region's outage: nothing is lost in it, and limits hold."""

from dataclasses import replace
from statistics import median

import pytest

from bench.scale.outage import line, scenes
from bench.scale.outage_model import Costs, Outage, OutageResult, Scene

FEW = Scene(domains=400, before=600.0, away=3600.0, back_within=60.0, asks_within=60.0)
SOME = 80  # of the region, about


def run(scene: Scene = FEW, costs: Costs | None = None, seed: int = 1) -> OutageResult:
    return Outage(scene, costs or Costs(), seed).run()


def test_what_came_was_delivered_or_is_held() -> None:
    result = run()
    assert result.arrived == pytest.approx(result.delivered + result.held)
    assert result.arrived >= result.backlog > 0
    assert abs(len(result.drained) - SOME) < 40


def test_a_seed_gives_the_same_run() -> None:
    assert run() == run()
    assert run(seed=2) != run()


def test_without_a_region_only_single_outages_are_drained() -> None:
    result = run(replace(FEW, region=0.0))
    assert (result.backlog, result.drained, result.over) == (0.0, [], 0.0)


def test_the_limits_of_servers_and_accounts_hold() -> None:
    slow = replace(FEW, destination_rate=0.05, servers=2, drains_limit=10)
    assert run(slow).most_running == 20
    one = replace(slow, drains_limit=40, account_limit=3, largest_account=1.0)
    assert run(one).most_running == 6


def test_more_slots_make_it_shorter_where_destinations_are_slow() -> None:
    slow = replace(FEW, destination_rate=0.5, servers=1, drains_limit=4)
    drained = [median(run(replace(slow, drains_limit=limit)).drained) for limit in (4, 40)]
    assert drained[0] > 2 * drained[1]


def test_a_server_delivers_no_more_than_its_processor_allows() -> None:
    costs = Costs(server_of_delivered=100.0)  # at most 8 messages a second, with a fifth to spare
    result = run(replace(FEW, servers=2), costs)
    assert result.rate == pytest.approx(16.0, abs=0.1)
    assert result.server == pytest.approx(0.8, abs=0.01)
    assert result.over > result.backlog / 16 - 60


def test_the_database_bounds_all_servers() -> None:
    result = run(replace(FEW, database_processors=1), Costs(database_of_delivered=100.0))
    assert result.rate == pytest.approx(8.0, abs=0.5)
    assert max(result.database) <= 0.85


def test_requests_wait_in_the_lane_of_a_server() -> None:
    at_once = replace(FEW, back_within=1.0, asks_within=1.0, servers=1)
    assert run(at_once).longest_lane < 2
    result = run(at_once, Costs(lane_of_change=500.0))
    assert result.longest_lane == pytest.approx(SOME, rel=0.5)  # each is opened and closed


def test_each_scene_has_a_row() -> None:
    rows = [line(name, run(replace(scene, domains=50)), 1.0) for name, scene in scenes(FEW)]
    assert {row.count("|") for row in rows} == {13}
