"""Reserved room counts as held, for its domain and its account, until the mail is held."""

from dataclasses import replace

from restante.reception.quota_reservations import QuotaReservations
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.tenancy.model import HostedDomain
from tests.contract.making import domain

ALPHA = replace(domain("alpha.example"), id=1)
BETA = replace(domain("beta.example"), id=2)


def beside(
    reservations: QuotaReservations, domain: HostedDomain
) -> tuple[DomainUsage, DomainUsage]:
    return reservations.beside(domain, NO_USAGE, DomainUsage(5, 5))


def test_a_reservation_counts_in_its_domain_and_in_its_account_and_ends_once() -> None:
    reservations = QuotaReservations()
    first, second = reservations.make([ALPHA], 100), reservations.make([ALPHA], 10)
    assert beside(reservations, ALPHA) == (DomainUsage(2, 110), DomainUsage(7, 115))
    first.end()
    first.end()
    assert beside(reservations, ALPHA) == (DomainUsage(1, 10), DomainUsage(6, 15))
    second.end()
    assert beside(reservations, ALPHA) == (NO_USAGE, DomainUsage(5, 5))


def test_a_copy_for_each_domain_counts_twice_in_their_account_and_not_in_each_other() -> None:
    reservations = QuotaReservations()
    reservations.make([ALPHA, BETA], 30)
    assert beside(reservations, ALPHA) == (DomainUsage(1, 30), DomainUsage(7, 65))
    assert beside(reservations, BETA)[0] == DomainUsage(1, 30)
