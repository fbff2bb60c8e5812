"""The simulator itself: a peaceful story, some with trouble, and a seed's story repeated."""

import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from restante.store.store_url import StoreKind
from restante.tenancy.model import ClientPassing
from tests.simulation.mutants import mutation
from tests.simulation.plan import Plan, make_plan, peaceful_plan, store_of
from tests.simulation.story import simulate

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = range(1, 13)


@pytest.mark.parametrize("store", StoreKind)
def test_in_a_peaceful_story_each_message_is_delivered_once(store: StoreKind) -> None:
    result = simulate(1, peaceful_plan, store=store)
    assert result.findings == []
    assert result.acknowledged == 5
    assert result.delivered == sum(len(mail.paths) for mail in result.plan.mails)
    assert result.lives == 1


@pytest.mark.parametrize("passing", [ClientPassing.PROXY, ClientPassing.XCLIENT])
def test_in_a_peaceful_story_a_primary_learns_every_client(passing: ClientPassing) -> None:
    def planner(seed: int) -> Plan:
        plan = peaceful_plan(seed)
        clients = ("", "203.0.117.1", "2001:db8::1", "2001:db8::1", "2001:db8::2")
        return replace(
            plan,
            domains=tuple(replace(one, passing=passing) for one in plan.domains),
            mails=tuple(
                replace(one, client=client) for one, client in zip(plan.mails, clients, strict=True)
            ),
        )

    result = simulate(1, planner, store=StoreKind.MEMORY)
    assert result.findings == []
    assert result.delivered == sum(len(mail.paths) for mail in result.plan.mails)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_whatever_happens(seed: int) -> None:
    result = simulate(seed)
    assert not result.findings, result.report
    assert result.acknowledged >= len(result.plan.mails)


def test_the_stories_have_both_kinds_of_store_and_crash_on_both() -> None:
    crashed = {store_of(seed) for seed in SEEDS if make_plan(seed).crashes}
    assert crashed == {StoreKind.MEMORY, StoreKind.SQLITE}


def test_the_stories_have_every_kind_of_trouble() -> None:
    plans = [make_plan(seed) for seed in SEEDS]
    for trouble in (
        "crashes",
        "stops",
        "reloads",
        "store_troubles",
        "moves",
        "suspensions",
        "hangups",
        "named_releases",
        "quiet",
    ):
        assert any(getattr(plan, trouble) for plan in plans), trouble
        assert not all(getattr(plan, trouble) for plan in plans), trouble
    assert any(plan.weather.cut for plan in plans)
    domains = [domain for plan in plans for domain in plan.domains]
    assert any(domain.is_crowded for domain in domains)
    assert {domain.passing for domain in domains} == {*ClientPassing}
    assert {domain.policed_at for domain in domains} == {"", "RCPT", "CONTENT"}
    assert not all(domain.takes_ipv6 for domain in domains)
    more = [domain for seed in range(1, 61) for domain in make_plan(seed).domains]
    assert {domain.refuses_at for domain in more} == {"", "GREETING", "EHLO", "XCLIENT", "RCPT"}
    assert {domain.refuses_by for domain in more} == {"", "refuse", "busy", "close", "policy"}
    assert any(domain.refuses_at for domain in domains)
    assert any(":" in mail.client for plan in plans for mail in plan.mails)


@pytest.mark.parametrize("store", StoreKind)
def test_a_seed_tells_the_same_story_in_every_process(store: StoreKind) -> None:
    told = {_told(hash_seed, store) for hash_seed in ("1", "2")}
    assert len(told) == 1
    assert "trace" in told.pop()


def _told(hash_seed: str, store: StoreKind) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "2", "--store", store],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return ended.stdout


def test_a_finding_names_its_seed_its_message_and_how_to_have_it_again() -> None:
    result = simulate(1, mutation=mutation("settle-refused-as-delivered"))
    report = result.report.splitlines()
    assert report[0].startswith("seed 1: m")
    assert "is lost for nobody" in report[0]
    assert any("is acknowledged as" in line for line in report)
    assert report[-1] == "again: make simulate SEED=1"
    result = simulate(1, mutation=mutation("settle-refused-as-delivered"), store=StoreKind.SQLITE)
    assert result.report.endswith("again: make simulate SEED=1 STORE=sqlite")


def test_the_process_is_as_before_afterwards() -> None:
    state, clock = random.getstate(), time.monotonic
    simulate(1, peaceful_plan)
    assert random.getstate() == state
    assert time.monotonic is clock
