"""A domain whose policy asks for a proof takes mail once DNS has it, and not before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from restante.tenancy.domain_proof import proof_value
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.policy import Policy, ProofPolicy
from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.session import Session

READY = b"250 2.1.5 OK"
WAITS = b"451 4.7.1 The domain is not ready here yet, try again later"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    with Installation(more=names.settings) as restante:
        restante.start()
        restante.has_account("alpha")
        yield restante


def added(restante: Installation, domain: str, proof: str) -> str:
    """Add a domain that must be proven; return all that the command says."""
    words = ("--account", "alpha", "--destination", HOST, "--allow", HOST, "--proof", proof)
    ended = restante.run("domain", "add", domain, *words)
    assert ended.returncode == 0, ended
    return ended.stderr


def reply_to(restante: Installation, domain: str) -> bytes:
    with Session(restante.mx) as session:
        session.say("MAIL FROM:<a@elsewhere.example>")
        return session.say(f"RCPT TO:<reader@{domain}>").strip()


@pytest.mark.parametrize("proof", ["txt", "mx"])
def test_a_domain_with_its_record_takes_mail_at_once(
    restante: Installation, names: NameServer, proof: str
) -> None:
    domain = f"{proof}.example"
    policy = Policy(proof=ProofPolicy(proof))
    record = HostedDomain(0, domain, "alpha", Destination(HOST), AuthorizedHosts(), 0.0, policy)
    value = proof_value(record, HOSTNAME)
    if proof == "mx":
        names.records = {domain: {"MX": ["10 mail.txt.example.", f"20 {value}."]}}
    else:
        names.records = {f"_restante.{domain}": {"TXT": [f'"{value}"']}}
    assert "takes no mail until DNS has the record" in " ".join(
        added(restante, domain, proof).split()
    )
    eventually(lambda: reply_to(restante, domain) == READY, what="the domain to be proven")
    assert restante.shown("domain", "show", domain)["proven_at"]
    assert restante.shown("audit")[0]["actor"] == "policy domain-proof"
    assert "(found 20" in " ".join(restante.do("domain", "show", domain).split())


def test_a_domain_without_its_record_waits_and_the_operator_may_end_that(
    restante: Installation, names: NameServer
) -> None:
    names.records = {}
    added(restante, "bare.example", "txt")
    eventually(lambda: ("_restante.bare.example", "TXT") in names.asked, what="the look-up")
    assert reply_to(restante, "bare.example") == WAITS
    assert "not found yet, so mail gets 451" in " ".join(
        restante.do("domain", "show", "bare.example").split()
    )
    restante.do("domain", "set", "bare.example", "--proof", "none")
    assert reply_to(restante, "bare.example") == READY
