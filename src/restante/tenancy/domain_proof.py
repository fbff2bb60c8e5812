"""The proof that a domain belongs to its account: a record in the domain's DNS. Pure.

A TXT record has a token of the account and the domain, so that the record of one account proves
nothing for another. The token is no secret: only who controls the domain can publish it. An MX
record that names this server is the same proof, for the server as a whole.
"""

import hashlib
from collections.abc import Collection
from typing import Final

from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import ProofPolicy

_LABEL: Final = "_restante"
_VALUE: Final = "restante="
_TOKEN_DIGITS: Final = 32


def proof_name(domain: HostedDomain) -> str:
    """Return the name whose records are looked up."""
    return domain.name if domain.policy.proof is ProofPolicy.MX else f"{_LABEL}.{domain.name}"


def proof_value(domain: HostedDomain, hostname: str) -> str:
    """Return the value that one of the records must have; `hostname` is ours."""
    if domain.policy.proof is ProofPolicy.MX:
        return hostname
    text = f"{domain.account}\0{domain.name}".encode()
    return f"{_VALUE}{hashlib.sha256(text).hexdigest()[:_TOKEN_DIGITS]}"


def proof_record(domain: HostedDomain, hostname: str) -> str:
    """Return the record to publish, as a line of a zone file; "" where none is asked for."""
    value = proof_value(domain, hostname)
    match domain.policy.proof:
        case ProofPolicy.NONE:
            return ""
        case ProofPolicy.MX:
            return f"{domain.name}. MX 20 {value}."
    return f'{proof_name(domain)}. TXT "{value}"'


def is_proven(domain: HostedDomain, hostname: str, found: Collection[str]) -> bool:
    """Return whether the values of the records that were found prove the domain."""
    return proof_value(domain, hostname) in found
