"""Deliveries counted by domain, while the choice of domains changes."""

from hypothesis import given
from hypothesis import strategies as st

from restante.telemetry.domain_counts import DomainCounts, DomainTotals
from restante.telemetry.event_fields import example
from restante.telemetry.events import DeliveryDeferred, DeliveryRefused, MessageDelivered

BOTH = frozenset({"a.example", "b.example"})
ONLY_A = frozenset({"a.example"})


def delivered(counts: DomainCounts, domain: str, times: int = 1) -> None:
    for _ in range(times):
        counts.count(example(MessageDelivered, domain=domain))


def test_each_kind_is_counted_by_itself() -> None:
    counts = DomainCounts()
    delivered(counts, "a.example", 3)
    counts.count(example(DeliveryDeferred, domain="a.example"))
    counts.count(example(DeliveryRefused, domain="b.example"))
    own, rest = counts.read(BOTH, BOTH)
    assert own == {"a.example": DomainTotals(3, 1, 0), "b.example": DomainTotals(0, 0, 1)}
    assert rest == DomainTotals()


def test_domains_that_are_not_shown_are_summed() -> None:
    counts = DomainCounts()
    delivered(counts, "a.example", 3)
    delivered(counts, "b.example", 2)
    assert counts.read(ONLY_A, BOTH) == ({"a.example": DomainTotals(3)}, DomainTotals(2))


def test_a_domain_that_comes_into_the_choice_brings_nothing_along() -> None:
    """Otherwise the sum of the others would fall, which a query takes for a restart."""
    counts = DomainCounts()
    delivered(counts, "b.example", 2)
    counts.read(ONLY_A, BOTH)
    delivered(counts, "b.example")
    assert counts.read(BOTH, BOTH) == ({"b.example": DomainTotals()}, DomainTotals(3))
    delivered(counts, "b.example")
    assert counts.read(BOTH, BOTH) == ({"b.example": DomainTotals(1)}, DomainTotals(3))


def test_a_removed_domain_is_forgotten_and_its_deliveries_stay_counted() -> None:
    counts = DomainCounts()
    delivered(counts, "b.example", 2)
    assert counts.read(ONLY_A, ONLY_A) == ({}, DomainTotals(2))
    assert counts.read(BOTH, BOTH) == ({}, DomainTotals(2))


@given(st.lists(st.tuples(st.lists(st.sampled_from("abc")), st.frozensets(st.sampled_from("abc")))))
def test_no_count_falls_and_their_sum_is_right(
    moments: list[tuple[list[str], frozenset[str]]],
) -> None:
    counts, before, total = DomainCounts(), dict[str, int](), 0
    rest_before = 0
    for events, shown in moments:
        for domain in events:
            delivered(counts, domain)
        total += len(events)
        _, rest = counts.read(shown, "abc")
        every = {name: sums.own[0] for name, sums in counts._sums.items()}
        assert rest.delivered >= rest_before
        assert all(every[name] >= count for name, count in before.items())
        assert rest.delivered + sum(every.values()) == total
        before, rest_before = every, rest.delivered
