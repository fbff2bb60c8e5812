"""SPF at arrival (RFC 7208): whether the domain of the reverse-path lets the client send for it.

Only the result `fail` is a bad sign; `pass` and `softfail` are noted. All others say nothing, and
so does a look-up that fails or takes too long. So a failure never costs mail.

The evaluation knows no local part: otherwise each of a sender's addresses would be a question of
its own. A record that depends on the local part is therefore not judged.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from restante.checks.check import CheckAnswer, ExaminedRecipient, SimpleCheck
from restante.checks.hygiene import bad_sign, is_examined
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.verdict import PASSED, CheckPassed, CheckVerdict
from restante.mail.address import canonical_domain
from restante.readiness.dns_facts import SpfFinding
from restante.shielded_task import shielded
from restante.tenancy.model import IpAddress

NO_SPF: Final = SpfFinding("", "temperror")
KEPT_SECONDS: Final = 300.0
FAILURE_SECONDS: Final = 60.0
_NOTED: Final = frozenset({"pass", "softfail"})
_OF_LOCAL_PART: Final = ("%{l", "%{s")  # macros, RFC 7208 §7.2


class SpfSource(Protocol):
    """Finds the result for an address and a domain (background/stranger_lookups.py)."""

    def find(self, address: IpAddress, about: str) -> "SpfFinding | asyncio.Future[SpfFinding]":
        """Return what is known, or the future of the answer."""


def spf_seconds(finding: SpfFinding) -> float:
    """Return for how long a result is kept."""
    return FAILURE_SECONDS if finding.result == "temperror" else KEPT_SECONDS


class SpfCheck(SimpleCheck):
    """Judges by the client's address, and the domain that it sends for."""

    name = "spf"

    def __init__(self, source: SpfSource, settings: Callable[[], HygieneSettings]) -> None:
        self._source = source
        self._settings = settings

    @property
    def is_on(self) -> bool:  # type: ignore[override]
        """Whether the settings have it."""
        return bool(self._settings().spf)

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        """Return the verdict, or a coroutine that waits for the result."""
        if not self._settings().spf or not is_examined(facts):
            return PASSED
        domain = _domain_of(facts)
        if not domain:
            return PASSED
        found = self._source.find(facts.client.address, domain)
        if isinstance(found, SpfFinding):
            return spf_verdict(facts, domain, found)
        return self._wait(facts, domain, found)

    async def _wait(
        self, facts: ExaminedRecipient, domain: str, found: "asyncio.Future[SpfFinding]"
    ) -> CheckVerdict:
        return spf_verdict(facts, domain, await shielded(found))


def spf_verdict(facts: ExaminedRecipient, domain: str, found: SpfFinding) -> CheckVerdict:
    """Judge by the result for a domain."""
    if found.result in _NOTED:
        return CheckPassed((f"{found.result} for {domain}",))
    if found.result != "fail" or any(one in found.record.lower() for one in _OF_LOCAL_PART):
        return PASSED
    return bad_sign(facts, (f"SPF of {domain} does not allow the client",), "4.7.23")


def _domain_of(facts: ExaminedRecipient) -> str:
    """Return the domain that the mail is from: RFC 7208 §2.4; "" without one that can have SPF."""
    path = facts.reverse_path
    try:
        domain = canonical_domain(facts.client.hello if path is None else path.domain)
    except ValueError:
        return ""
    return domain if "." in domain else ""
