"""Drills domains by their timers, and reports proofs that are old.

Theory of operation. A round looks at the marks of all domains. It removes the messages of drills
that did not end, notes timers that are new, and reports proofs that are old. Then it drills some
of the domains that are due: a few at once, and accounts take turns. `readiness/drill_timer` decides
when a domain is due and may be drilled. One that may not stays due, and costs the others nothing.
One whose drill could not begin is left alone for an hour.

The time of the last drill is a mark in the store. So a timer goes on after a restart, and a drill
by hand counts too. Ages are counted by the clock for ages: a leap of the wall clock makes nothing
due. The work is a duty of the store. The server that has it drills through its own listener.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.domain_drill import DrillOrder, drill_domain, drill_duty, public_listener
from restante.admin.drill_leftovers import beginnings, remove_leftover
from restante.admin.drill_records import drill_facts, note_timer, note_told
from restante.background.clocks import Wait, wait_at_most
from restante.background.fair_slots import FairSlots
from restante.background.loop_slices import in_slices, in_turns
from restante.background.rounds import Rounds
from restante.queue.drain_word import DrainEnd
from restante.queue.presence import DestinationState
from restante.readiness.drill_facts import NO_DRILL, DrillFacts
from restante.readiness.drill_timer import (
    DrillObstacles,
    DueDrill,
    age_step,
    fair_choice,
    may_drill,
    next_drill,
    proof_age,
)
from restante.store.duty_store import keep_performing
from restante.store.store_errors import Conflict
from restante.telemetry.event_bus import Log
from restante.telemetry.events import DrillProofOld, RecordChanged
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import DAY
from restante.tenancy.principal import policy_rule

AT_ONCE: Final = 4  # drills
AT_ONCE_OF_ACCOUNT: Final = 2
MOST: Final = 20  # drills in a round
WALKED_AT_ONCE: Final = 500  # domains: mail waits meanwhile
ROUND_SECONDS: Final = 300.0
SOON_SECONDS: Final = 1.0  # to the next round, while more domains are due
POSTPONED_SECONDS: Final = 3600.0  # after a drill that could not begin
RULE: Final = "drills"
ORDER: Final = DrillOrder(wait=120.0, reason="by its timer")
_BAD_ENDS: Final = frozenset({DrainEnd.GIVEN_UP, DrainEnd.REFUSED})
_CHANGES: Final = frozenset({AuditAction.DOMAIN_ADDED, AuditAction.DOMAIN_CHANGED})


class DrillKeeper:
    """The one task that does so. Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        log: Log,
        ages: Callable[[], float],
        until_told: Callable[[], Awaitable[None]],
        wait: Wait = wait_at_most,
    ) -> None:
        """`ages` is the clock for ages; `until_told` returns once all notices are stored."""
        self._context = context.acting(policy_rule(RULE))
        self._log = log
        self._ages = ages
        self._until_told = until_told
        self._monotonic = context.memory.monotonic
        self._rounds = Rounds(log, WorkWord.DRILLS, wait)
        self._slots = FairSlots(lambda: AT_ONCE, lambda: AT_ONCE_OF_ACCOUNT)
        self._postponed: dict[int, float] = {}  # until when, by the monotonic clock

    def record_changed(self, event: RecordChanged) -> None:
        """Look at once if a domain with a timer was added or changed."""
        if event.action not in _CHANGES:
            return
        domain = self._context.directory.now.domains.get(event.domain)
        if domain is not None and domain.policy.drill_every is not None:
            self._rounds.wake()

    async def run(self) -> None:
        """Drill until cancelled."""
        rounds = partial(self._rounds.run_rounds, self.take_round)
        await keep_performing(self._context.store.duties, RULE, rounds)

    async def take_round(self) -> float:
        """Do a round; return the seconds to the next one. Raises StoreError."""
        await self._remove_leftovers()
        due = await self._look()
        if public_listener(self._context) is None:
            return ROUND_SECONDS
        chosen = fair_choice(due, MOST)
        ended = await asyncio.gather(*map(self._drill, chosen), return_exceptions=True)
        for failure in filter(None, ended):
            raise failure
        return SOON_SECONDS if len(due) > len(chosen) else ROUND_SECONDS

    async def _remove_leftovers(self) -> None:
        for domain_id in await beginnings(self._context.store.retention):
            domain = self._context.directory.now.domain_by_id(domain_id)
            if domain is not None:
                async with drill_duty(self._context, domain) as is_ours:
                    if is_ours:
                        await remove_leftover(self._context, domain)

    # Which domains are due

    async def _look(self) -> Sequence[DueDrill]:
        """Note and tell about each domain; return the drills that are due and may be made."""
        facts = await drill_facts(self._context.store.retention)
        now, monotonic = self._ages(), self._monotonic()
        self._postponed = {one: at for one, at in self._postponed.items() if at > monotonic}
        due: list[DueDrill] = []
        async for some in in_slices(self._context.directory.now.domains.values(), WALKED_AT_ONCE):
            for domain in some:
                known = facts.get(domain.id, NO_DRILL)
                if domain.policy.drill_every is not None or known is not NO_DRILL:
                    at = await self._due_at(domain, known, now)
                    if at is not None and at <= now and domain.id not in self._postponed:
                        due.append(DueDrill(domain.id, domain.account, at))
        return await self._possible(due)

    async def _due_at(self, domain: HostedDomain, known: DrillFacts, now: float) -> float | None:
        """Return when a domain is due, after its marks were looked at; None without a timer."""
        every = domain.policy.drill_every
        try:
            known = await self._with_timer(domain, known, now)
            await self._tell_age(domain, known, now)
        except Conflict:  # it was removed meanwhile
            return None
        return next_drill(domain.name, every, known)

    async def _with_timer(self, domain: HostedDomain, known: DrillFacts, now: float) -> DrillFacts:
        """Return the facts with the beginning of the timer, which is noted at its first sight."""
        is_timed = domain.policy.drill_every is not None
        if is_timed is (known.timed_since is not None):
            return known
        since = now if is_timed else None
        await note_timer(self._context.store.retention, domain.id, since)
        return replace(known, timed_since=since)

    async def _tell_age(self, domain: HostedDomain, known: DrillFacts, now: float) -> None:
        every = domain.policy.drill_every
        step = age_step(every, known, now)
        if step == known.told_step:
            return
        if step > known.told_step:
            suspension = domain.policy.suspension_at(self._context.now())
            if suspension is not None or not domain.destination.is_reachable:
                return  # it cannot be drilled
            days = int(proof_age(every, known, now) / DAY)
            self._log.publish(
                DrillProofOld(domain=domain.name, account=domain.account, age_days=days)
            )
            await self._until_told()
        await note_told(self._context.store.retention, domain.id, step)

    async def _possible(self, due: Sequence[DueDrill]) -> Sequence[DueDrill]:
        figures = self._context.store.figures
        with_mail = [one.domain_id for one in due if figures.usage(one.domain_id).held]
        past = await self._context.store.handover.past_drains(with_mail) if with_mail else {}
        failed = {one for one, drain in past.items() if drain.end in _BAD_ENDS}
        return [
            one
            async for one in in_turns(due)
            if may_drill(self._obstacles(one.domain_id, has_failed_drain=one.domain_id in failed))
        ]

    def _obstacles(self, domain_id: int, *, has_failed_drain: bool) -> DrillObstacles:
        context = self._context
        domain = context.directory.now.domain_by_id(domain_id)
        if domain is None:
            return DrillObstacles(is_reachable=False)
        server = context.server
        sighting = None if server is None else server.sighting(domain.destination)
        return DrillObstacles(
            is_suspended=domain.policy.suspension_at(context.now()) is not None,
            is_reachable=domain.destination.is_reachable,
            awaits_proof=domain.policy.awaits_proof,
            is_draining=context.store.handover.is_draining(domain_id),
            has_failed_drain=has_failed_drain,
            is_down=sighting is not None and sighting.seen is DestinationState.AWAY,
        )

    async def _drill(self, due: DueDrill) -> None:
        """Drill a domain once it is its turn, if nothing has come between. Raises StoreError."""
        async with self._slots.slot(due.account):
            domain = self._context.directory.now.domain_by_id(due.domain_id)
            obstacles = self._obstacles(due.domain_id, has_failed_drain=False)
            if domain is None or not may_drill(obstacles):
                return
            self._postponed[due.domain_id] = self._monotonic() + POSTPONED_SECONDS
            try:
                await drill_domain(self._context, domain.name, ORDER)
            except AdminError:  # it was removed, or another server drills it
                return
