"""The record that proves a domain, for its own account only."""

from dataclasses import replace

import pytest

from restante.tenancy.domain_proof import is_proven, proof_name, proof_record, proof_value
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.policy import Policy, ProofPolicy

OURS = "mx2.example.net"


def domain(proof: ProofPolicy, account: str = "acme", name: str = "acme.example") -> HostedDomain:
    policy = Policy(proof=proof)
    return HostedDomain(1, name, account, Destination("h"), AuthorizedHosts(), 0.0, policy)


@pytest.mark.parametrize(
    ("proof", "record"),
    [
        (ProofPolicy.NONE, ""),
        (ProofPolicy.MX, "acme.example. MX 20 mx2.example.net."),
        (
            ProofPolicy.TXT,
            '_restante.acme.example. TXT "restante=14c58cea37832761c1a292b55484dbd2"',
        ),
    ],
)
def test_the_record_to_publish_is_a_line_of_a_zone(proof: ProofPolicy, record: str) -> None:
    assert proof_record(domain(proof), OURS) == record


@pytest.mark.parametrize("proof", [ProofPolicy.TXT, ProofPolicy.MX])
def test_only_the_exact_value_proves_a_domain(proof: ProofPolicy) -> None:
    one = domain(proof)
    value = proof_value(one, OURS)
    assert is_proven(one, OURS, ["other", value])
    assert not is_proven(one, OURS, [])
    assert not is_proven(one, OURS, [value + "x", value[:-1], ""])


def test_the_token_of_an_account_proves_nothing_for_another() -> None:
    one = domain(ProofPolicy.TXT)
    value = proof_value(one, OURS)
    for other in (domain(ProofPolicy.TXT, "beta"), domain(ProofPolicy.TXT, name="b.example")):
        assert not is_proven(other, OURS, [value])
        assert proof_name(other) == f"_restante.{other.name}"


def test_a_domain_waits_until_its_record_was_found() -> None:
    waits = domain(ProofPolicy.TXT).policy
    assert (waits.awaits_proof, waits.takes_everything) == (True, False)
    proven = replace(waits, proven_at=1.0)
    assert (proven.awaits_proof, proven.takes_everything) == (False, True)
    assert not Policy().awaits_proof
