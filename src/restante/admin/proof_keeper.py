"""Looks for the DNS records that prove domains, where their policy asks for a proof.

A domain without its proof takes no mail: RCPT is answered 451. It is looked up at once when it is
added, and then each minute. Once proven, it stays hosted. It is looked up again each day, and a
record that is missing then is reported, once. It stops no mail: a mistake in somebody's zone must
not cost mail that the domain's senders still bring.

The work is a duty of the store. The proof is part of the domain's record, so each server learns of
it as of any other change.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import changed, entry, with_changes
from restante.background.clocks import Wait, wait_at_most
from restante.background.loop_slices import in_slices
from restante.background.rounds import Rounds
from restante.network.proof_lookup import ProofRecords
from restante.network.resolver import LookupFailed
from restante.store.duty_store import keep_performing
from restante.store.store_errors import Conflict
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ProofLost, RecordChanged
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction
from restante.tenancy.domain_proof import is_proven, proof_name, proof_record
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import ProofPolicy
from restante.tenancy.principal import policy_rule
from restante.tenancy.record_change import changes_between

AT_ONCE: Final = 20  # domains
WALKED_AT_ONCE: Final = 1000  # domains that are looked for such a policy: mail waits meanwhile
MOST: Final = 200  # domains in a round: the others wait for the next one
ROUND_SECONDS: Final = 60.0  # also between two looks for a record that is missing
SOONEST_SECONDS: Final = 5.0  # between two rounds, if no event asks for one
AGAIN_SECONDS: Final = 86_400.0  # between two looks at a proven domain
RULE: Final = "domain-proof"


_DueKey = tuple[int, ProofPolicy, bool]  # a domain, its proof, and whether it waits for it


class ProofKeeper:
    """The one task that does so. Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        records: ProofRecords,
        log: Log,
        monotonic: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`monotonic` is in seconds."""
        self._context = context.acting(policy_rule(RULE))
        self._records = records
        self._log = log
        self._monotonic = monotonic
        self._rounds = Rounds(log, WorkWord.DOMAIN_PROOF, wait)
        self._due: dict[_DueKey, float] = {}  # when a domain is looked at again
        self._lost: set[int] = set()  # domains whose lost proof was reported

    def record_changed(self, event: RecordChanged) -> None:
        """Look at once if a domain was added or changed that waits for its proof."""
        if event.action not in (AuditAction.DOMAIN_ADDED, AuditAction.DOMAIN_CHANGED):
            return
        domain = self._context.directory.now.domains.get(event.domain)
        if domain is not None and domain.policy.awaits_proof:
            self._rounds.wake()

    async def run(self) -> None:
        """Look until cancelled."""
        rounds = partial(self._rounds.run_rounds, self.take_round)
        await keep_performing(self._context.store.duties, RULE, rounds)

    async def take_round(self) -> float:
        """Look at the domains that are due; return the seconds to the next round.

        Raises StoreError.
        """
        hosted = self._context.directory.now.domains.values()
        asked = [
            one
            async for some in in_slices(hosted, WALKED_AT_ONCE)
            for one in some
            if one.policy.proof is not ProofPolicy.NONE
        ]
        keys = set(map(_key, asked))
        self._due = {key: at for key, at in self._due.items() if key in keys}
        self._lost &= {one.id for one in asked}
        now = self._monotonic()
        due = [one for one in asked if self._due_at(one) <= now]
        due.sort(key=self._due_at)  # otherwise the first MOST would be looked at again and again
        due = due[:MOST]
        for start in range(0, len(due), AT_ONCE):
            await self._look(due[start : start + AT_ONCE])
        if len(due) == MOST:
            return ROUND_SECONDS
        soonest = min(map(self._due_at, asked), default=float("inf")) - self._monotonic()
        return min(ROUND_SECONDS, max(soonest, SOONEST_SECONDS))

    def _due_at(self, domain: HostedDomain) -> float:
        return self._due.get(_key(domain), float("-inf"))  # a new one comes first

    async def _look(self, domains: Sequence[HostedDomain]) -> None:
        found = await asyncio.gather(*map(self._has_proof, domains))
        for domain, has_proof in zip(domains, found, strict=True):
            pause = ROUND_SECONDS
            if domain.policy.awaits_proof:
                if has_proof:
                    await self._note_proof(domain)
            elif has_proof is not None:
                pause = AGAIN_SECONDS
                self._note_again(domain, has_proof=has_proof)
            self._due[_key(domain)] = self._monotonic() + pause

    async def _has_proof(self, domain: HostedDomain) -> bool | None:
        """Return whether the domain has its record; None if DNS cannot tell now."""
        is_mx = domain.policy.proof is ProofPolicy.MX
        look_up = self._records.mail_hosts if is_mx else self._records.texts
        try:
            found = await look_up(proof_name(domain))
        except LookupFailed:
            return None
        return is_proven(domain, self._context.network.hostname, found)

    async def _note_proof(self, domain: HostedDomain) -> None:
        """Let the domain take mail. A record that changes at this moment is looked at again."""
        proven = replace(domain, policy=replace(domain.policy, proven_at=self._context.now()))
        reason = "its record was found in DNS"
        recorded = entry(
            self._context,
            AuditAction.DOMAIN_CHANGED,
            domain.name,
            domain.account,
            reason,
            domain=domain.name,
        )
        recorded = with_changes(recorded, changes_between(domain, proven))
        try:
            await self._context.store.records.put_domain(proven, recorded, before=domain)
        except Conflict:
            await self._context.directory.refresh()
            return
        await changed(self._context, recorded)
        self._due[_key(proven)] = self._monotonic() + AGAIN_SECONDS

    def _note_again(self, domain: HostedDomain, *, has_proof: bool) -> None:
        if has_proof:
            self._lost.discard(domain.id)
        elif domain.id not in self._lost:
            self._lost.add(domain.id)
            missing = proof_record(domain, self._context.network.hostname)
            self._log.publish(
                ProofLost(domain=domain.name, account=domain.account, reason=f"no {missing}")
            )


def _key(domain: HostedDomain) -> _DueKey:
    return domain.id, domain.policy.proof, domain.policy.awaits_proof
