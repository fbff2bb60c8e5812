"""The simulation finds faults: each that is put in shows within a few seeds."""

from typing import Final

import pytest

from restante.store.store_url import StoreKind
from tests.simulation.mutants import MUTANTS, mutation
from tests.simulation.story import simulate

SEEDS: Final = 60  # at most, for each
OF_SQLITE: Final = {"commit-mail-later"}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("acknowledge-before-hold", "is lost"),
        ("delete-before-the-final-reply", "is lost"),
        ("settle-refused-as-delivered", "is lost"),
        ("deliver-to-anothers-destination", "mx-"),
        ("starve-behind-a-busy-account", "was promised"),
        ("send-without-a-window", "copies, more than 64"),
        ("release-for-anybody", "asked for"),
        ("forget-drains-at-a-crash", "was promised"),
        ("deliver-while-suspended", "was suspended"),
        ("commit-mail-later", "is lost"),
        ("mix-clients", "in the name of"),
        ("go-on-in-our-own-name", "after it had refused the client"),
        ("hand-over-all-for-a-name", "only other messages were named"),
        ("settle-deferred-by-policy", "is lost"),
        ("keep-the-place-of-deferred-mail", "which a policy had deferred"),
        ("end-at-refused-clients", "screened.example was promised"),
        ("end-at-clients-refused-by-policy", "screened.example was promised"),
    ],
)
def test_a_fault_is_found(name: str, says: str) -> None:
    store = StoreKind.SQLITE if name in OF_SQLITE else StoreKind.MEMORY
    for seed in range(1, SEEDS + 1):
        result = simulate(seed, mutation=mutation(name), store=store)
        if any(says in finding.text for finding in result.findings):
            return
    raise AssertionError(f"{name} was not found in {SEEDS} seeds")


def test_every_mutant_is_looked_for() -> None:
    [marks] = [mark for mark in test_a_fault_is_found.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {name for name, _ in marks.args[1]} == set(MUTANTS)
