"""Records as rows and back: nothing is lost on the way."""

from dataclasses import replace

import pytest

from restante.store.stored_form import record_rows
from restante.tenancy.model import Account, ClientPassing, Destination, DestinationLogin, TlsUse
from restante.tenancy.quota import Quota
from tests.contract.making import domain


@pytest.mark.parametrize(
    "destination",
    [
        Destination("mail.alpha.example"),
        Destination(
            "192.0.2.1",
            2525,
            tls=TlsUse.VERIFY,
            ca_file="/etc/ca.pem",
            key_pins=("ab" * 32,),
            login=DestinationLogin("user", b"\0sealed\xff"),
            connections=7,
            per_minute=30,
            client_address=ClientPassing.XCLIENT,
        ),
    ],
)
def test_a_domain_comes_back_as_it_was(destination: Destination) -> None:
    hosted = replace(domain(), id=3, destination=destination)
    assert record_rows.hosted_domain((3, *record_rows.domain_row(hosted))) == hosted


def test_domains_with_equal_columns_share_what_these_say() -> None:
    """Otherwise 10,000 domains of few customers cost 11 MB more."""
    rows = [
        record_rows.domain_row(replace(domain(), name=name))
        for name in ("one.example", "other.example")
    ]
    one, other = (
        record_rows.hosted_domain((number, *row)) for number, row in enumerate(rows, start=1)
    )
    assert one.name != other.name
    assert one.destination is other.destination
    assert one.authorized_hosts is other.authorized_hosts
    assert one.policy is other.policy


@pytest.mark.parametrize(
    "account",
    [
        Account("alpha", 1.0),
        Account("alpha", 1.0, 251, "note", Quota(5, None), report_details=True, change_lock=True),
    ],
)
def test_an_account_comes_back_as_it_was(account: Account) -> None:
    assert record_rows.account(record_rows.account_row(account)) == account
