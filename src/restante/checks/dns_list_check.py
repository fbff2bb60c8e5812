"""Clients on DNS block lists.

The weights of the lists are added up; from the threshold on, the client counts as listed. A list
that is down or slow adds nothing. So a failure never costs mail.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from restante.checks.check import CheckAnswer, ExaminedRecipient, SimpleCheck
from restante.checks.hygiene import bad_sign, is_examined
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.verdict import PASSED, CheckPassed, CheckVerdict
from restante.network.dns_lists import DnsListAnswer
from restante.shielded_task import shielded
from restante.tenancy.model import IpAddress


class ListingSource(Protocol):
    """Finds the lists that an address is on (background/stranger_lookups.py)."""

    def find(self, address: IpAddress) -> "DnsListAnswer | asyncio.Future[DnsListAnswer]":
        """Return what is known of an address, or the future of the answer."""


class DnsListCheck(SimpleCheck):
    """Judges by the client's address."""

    name = "dnsbl"

    def __init__(self, source: ListingSource, settings: Callable[[], HygieneSettings]) -> None:
        self._source = source
        self._settings = settings

    @property
    def is_on(self) -> bool:  # type: ignore[override]
        """Whether the settings have it."""
        return bool(self._settings().dnsbl)

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        """Return the verdict, or a coroutine that waits for the lists."""
        settings = self._settings()
        if not settings.dnsbl or not is_examined(facts):
            return PASSED
        found = self._source.find(facts.client.address)
        if isinstance(found, DnsListAnswer):
            return listing_verdict(facts, found, settings)
        return self._wait(facts, found, settings)

    async def _wait(
        self,
        facts: ExaminedRecipient,
        found: "asyncio.Future[DnsListAnswer]",
        settings: HygieneSettings,
    ) -> CheckVerdict:
        return listing_verdict(facts, await shielded(found), settings)


def listing_verdict(
    facts: ExaminedRecipient, found: DnsListAnswer, settings: HygieneSettings
) -> CheckVerdict:
    """Judge by the lists that an address is on."""
    weights = settings.weights
    listings = [one for one in found.listings if one.zone in weights]
    if not listings:
        return PASSED
    score = sum(weights[one.zone] for one in listings)
    signs = tuple(f"the client is listed at {one.zone} ({one.code})" for one in listings)
    if score < settings.dnsbl_threshold:
        return CheckPassed(signs, score)
    return bad_sign(facts, signs, "4.7.1", score)
