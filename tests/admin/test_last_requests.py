"""The last request for a domain, whichever target it named."""

from dataclasses import replace

import pytest

from restante.admin.last_requests import LastRequests
from restante.store.audit_store import GrantedRequest
from restante.tenancy.model import HostedDomain
from tests.contract import making


def domain() -> HostedDomain:
    return replace(making.domain("a.b.example", "acme"), created_at=1.0)


@pytest.mark.parametrize("target", ["a.b.example", "@b.example", "@a.b.example", "#acme"])
def test_any_target_that_covers_a_domain_counts(target: str) -> None:
    requests = LastRequests()
    requests.add(GrantedRequest(target, "acme", 5.0))
    assert requests.last_for(domain()) == 5.0


@pytest.mark.parametrize("target", ["b.example", "@c.example", "#other", "no target at all"])
def test_no_other_target_counts(target: str) -> None:
    requests = LastRequests()
    requests.add(GrantedRequest(target, "acme", 5.0))
    assert requests.last_for(domain()) is None


def test_the_latest_counts_and_only_of_the_present_account() -> None:
    requests = LastRequests()
    for target, account, at in (
        ("a.b.example", "acme", 7.0),
        ("a.b.example", "acme", 6.0),
        ("a.b.example", "other", 9.0),
    ):
        requests.add(GrantedRequest(target, account, at))
    assert requests.last_for(domain()) == 7.0


@pytest.mark.parametrize("target", ["@b.example", "#acme"])
def test_a_request_from_before_the_domain_was_added_did_not_cover_it(target: str) -> None:
    requests = LastRequests()
    requests.add(GrantedRequest(target, "acme", 5.0))
    assert requests.last_for(replace(domain(), created_at=5.5)) is None
