"""The verdict about mail with a bad sign, by the policy of the recipient's domain. Pure.

A sign is reputation: it can be wrong, and it can end. So mail is marked or deferred with 450, and
never refused. Marked mail gets no reports, as its reverse-path may be forged.

Nothing counts against an authenticated client, or one at an authorized host of the domain.
"""

from restante.checks.check import ClientFacts, ExaminedRecipient
from restante.checks.suspicion import comes_from_own_host
from restante.checks.verdict import PASSED, CheckPassed, CheckVerdict, refuse
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import HygienePolicy


def is_examined(facts: ExaminedRecipient) -> bool:
    """Return whether signs count for this recipient's mail at all."""
    return counts_signs(facts.domain, facts.client)


def counts_signs(domain: HostedDomain, client: ClientFacts) -> bool:
    """Return whether signs count for a domain's mail from a client."""
    return (
        domain.policy.hygiene is not HygienePolicy.OFF
        and not client.is_authenticated
        and not comes_from_own_host(domain, client.address)
    )


def bad_sign(
    facts: ExaminedRecipient, signs: tuple[str, ...], status: str, score: float | None = None
) -> CheckVerdict:
    """Return the verdict about mail with these signs; `status` is of the reply, such as 4.7.1."""
    if not is_examined(facts):
        return PASSED
    if facts.domain.policy.hygiene is HygienePolicy.DEFER:
        return refuse(450, status, f"Not now: {signs[0]}", ", ".join(signs))
    return CheckPassed(signs, score, is_suspect=True)
