"""Mail for a removed domain or beyond a quota is refused with all its parts, and no other mail."""

import pytest

from restante.mail.message import NewMessage
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.hold_refusals import over_quota, refused_of
from restante.store.store_errors import Conflict, OverQuota
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from tests.contract.making import message

GONE = 9


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ([], {}),
        ([(1, 1, 0), (2, 2, 0)], {}),
        ([(1, GONE, 0), (2, 1, 0)], {1}),
        ([(1, 1, 0), (2, GONE, 1), (3, 2, 1)], {1, 2, 3}),
        ([(1, GONE, 0), (2, 1, 1), (3, 1, 0), (4, 2, 3)], {1, 2}),
        ([(1, GONE, 0), (2, GONE, 1)], {1, 2}),
    ],
)
def test_the_parts_of_one_mail_are_refused_together(
    parts: list[tuple[int, int, int]], refused: set[int]
) -> None:
    """Each part is its number, its domain and the number of the first part, 0 for itself."""
    new = [message(number, domain)._replace(first=first) for number, domain, first in parts]
    found = refused_of(new, lambda domain_id: domain_id != GONE)
    assert found.keys() == set(refused)
    assert all(isinstance(why, Conflict) and "domain 9" in str(why) for why in found.values())


# --- quotas

BIG = 10**6


def sized(number: int, domain_id: int, size: int = 10, first: int = 0) -> NewMessage:
    return message(number, domain_id, head=b"x" * size)._replace(first=first)


def quotas(
    own: Quota = NO_QUOTA, of_account: Quota = NO_QUOTA, domain_ids: tuple[int, ...] = (1, 2)
) -> dict[int, DomainQuotas]:
    return {key: DomainQuotas(f"d{key}.example", own, "alpha", of_account) for key in domain_ids}


@pytest.mark.parametrize(
    ("new", "limits", "refused"),
    [
        ([sized(1, 1), sized(2, 1), sized(3, 1)], quotas(Quota(messages=7)), {3}),
        ([sized(1, 1), sized(2, 2)], quotas(Quota(messages=6)), set()),
        ([sized(1, 1), sized(2, 2), sized(3, 2)], quotas(of_account=Quota(messages=12)), {3}),
        ([sized(1, 1, 30), sized(2, 1, 21), sized(3, 1, 20)], quotas(Quota(octets=100)), {2}),
        ([sized(1, 1), sized(2, 2)], quotas(Quota(messages=5), domain_ids=(2,)), {2}),
        ([sized(1, 1), sized(2, 3, first=1)], quotas(Quota(messages=5)), {1, 2}),
        ([sized(1, 3), sized(2, 1, first=1), sized(3, 2)], quotas(Quota(messages=5)), {1, 2, 3}),
        # A mail that is refused leaves its room to the next one.
        ([sized(1, 1), sized(2, 2, BIG, first=1), sized(3, 1)], quotas(Quota(BIG, 6)), {1, 2}),
        ([], quotas(Quota(messages=1)), set()),
    ],
)
def test_mail_beyond_a_quota_is_refused(
    new: list[NewMessage], limits: dict[int, DomainQuotas], refused: set[int]
) -> None:
    """Each domain holds 5 messages of 50 octets in all, and the account 10."""
    found = over_quota(
        new, limits, lambda _domain_id: DomainUsage(5, 50), lambda _account: DomainUsage(10, 100)
    )
    assert found.keys() == refused
    assert all(isinstance(why, OverQuota) for why in found.values())


def test_the_reason_names_the_quota_that_is_reached() -> None:
    for limits, name in (
        (quotas(Quota(messages=0)), "d1.example"),
        (quotas(of_account=Quota(messages=0)), "account alpha"),
    ):
        [why] = over_quota([sized(1, 1)], limits, lambda _: NO_USAGE, lambda _: NO_USAGE).values()
        assert str(why) == f"the quota of {name} is reached"
