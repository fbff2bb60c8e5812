"""A quota that is small or half full is decided in the database."""

import pytest

from restante.store.figure_store import DomainUsage
from restante.store.postgres.quota_closeness import (
    SMALL_MESSAGES,
    SMALL_OCTETS,
    close_quotas,
    is_close,
)
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from tests.contract.making import message

MANY, MUCH = 2 * SMALL_MESSAGES, 2 * SMALL_OCTETS


@pytest.mark.parametrize(
    ("quota", "usage", "close"),
    [
        (NO_QUOTA, DomainUsage(MANY, MUCH), False),
        (Quota(messages=SMALL_MESSAGES - 1), DomainUsage(), True),
        (Quota(octets=SMALL_OCTETS - 1), DomainUsage(), True),
        (Quota(MUCH, MANY), DomainUsage(), False),
        (Quota(MUCH, MANY), DomainUsage(MANY // 2, MUCH // 2), False),
        (Quota(MUCH, MANY), DomainUsage(MANY // 2 + 1, 0), True),
        (Quota(MUCH, MANY), DomainUsage(0, MUCH // 2 + 1), True),
    ],
)
def test_a_quota_is_close_if_small_or_half_full(
    quota: Quota, usage: DomainUsage, *, close: bool
) -> None:
    assert is_close(quota, usage) is close


def quotas(own: Quota = NO_QUOTA, of_account: Quota = NO_QUOTA) -> dict[int, DomainQuotas]:
    return {key: DomainQuotas("d.example", own, "alpha", of_account) for key in (1, 2)}


@pytest.mark.parametrize(
    ("limits", "held", "held_of_account", "close"),
    [
        (quotas(Quota(messages=MANY)), MANY // 2 - 2, MANY, set()),
        (quotas(Quota(messages=MANY)), MANY // 2 - 1, MANY, {1}),
        (quotas(of_account=Quota(messages=MANY)), 0, MANY // 2 - 3, set()),
        (quotas(of_account=Quota(messages=MANY)), 0, MANY // 2 - 2, {1, 2}),
        ({}, MANY, MANY, set()),
    ],
)
def test_the_new_mail_counts(
    limits: dict[int, DomainQuotas], held: int, held_of_account: int, close: set[int]
) -> None:
    """Two messages are for domain 1, one for domain 2, and one for a domain without quotas."""
    new = [message(1, 1), message(2, 1), message(3, 2), message(4, 3)]
    found = close_quotas(
        new, limits, lambda _: DomainUsage(held), lambda _: DomainUsage(held_of_account)
    )
    assert found.keys() == close
