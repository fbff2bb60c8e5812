"""Announces changes that wait, and applies each once its time has come.

A change is announced before it is applied: it waits until the notices about it are stored. If the
server ends before that, the next one announces it, perhaps again. If the announcement is late, the
change waits its whole time from then on, so that somebody can cancel it. At its time a change is
checked again. One that cannot be applied is dropped, with a notice and an entry in the audit trail.

The work is a duty of the store. So of several servers one does it at a time, and the store ends
each change once. A server looks once a minute for changes that others have stored.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry, with_changes
from restante.admin.change_applying import ChangeObstacle, RecordMoved, put_change
from restante.admin.change_scheduling import (
    announce_end,
    change_lines,
    lock_on,
    time_text,
    told_account,
)
from restante.admin.permissions import AdminAction, may
from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.store.duty_store import keep_performing
from restante.store.schedule_store import PAGE
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ChangeScheduled, RecordChanged
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction
from restante.tenancy.maker_rights import present_maker
from restante.tenancy.principal import Principal, policy_rule
from restante.tenancy.scheduled_change import ScheduledChange

LONGEST_PAUSE: Final = 60.0  # seconds
RULE: Final = "scheduled-changes"


class ChangeKeeper:
    """The one task that does so. Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        log: Log,
        until_told: Callable[[], Awaitable[None]],
        wait: Wait = wait_at_most,
    ) -> None:
        """`until_told` returns once the notices of all events so far are stored."""
        self._context = context.acting(policy_rule(RULE))
        self._log = log
        self._until_told = until_told
        self._rounds = Rounds(log, WorkWord.SCHEDULED_CHANGES, wait)

    def record_changed(self, event: RecordChanged) -> None:
        """Do a round now if a change was scheduled."""
        if event.action == AuditAction.CHANGE_SCHEDULED:
            self._rounds.wake()

    async def run(self) -> None:
        """Do rounds until cancelled."""
        rounds = partial(self._rounds.run_rounds, self.take_round)
        await keep_performing(self._context.store.duties, RULE, rounds)

    async def take_round(self) -> float:
        """Announce and apply; return the seconds until the next round. Raises StoreError."""
        waiting = [await self._with_its_delay(one) for one in await self._waiting()]
        await self._announce([one for one in waiting if not one.is_announced])
        now = self._context.now()
        for change in waiting:
            if change.applies_at <= now:
                await self._end(change)
        left = [one.applies_at - now for one in waiting if one.applies_at > now]
        return min([*left, LONGEST_PAUSE])

    async def _waiting(self) -> Sequence[ScheduledChange]:
        found: list[ScheduledChange] = []
        after = 0
        while True:
            page = await self._context.store.schedule.waiting_changes(after=after)
            found += page
            if len(page) < PAGE:
                return found
            after = page[-1].id

    async def _with_its_delay(self, change: ScheduledChange) -> ScheduledChange:
        """Return a change; one whose announcement is late has its whole delay from now on."""
        delay, now = change.applies_at - change.made_at, self._context.now()
        is_late = now - change.made_at > min(LONGEST_PAUSE, delay / 2)
        if change.is_announced or not is_late:
            return change
        await self._context.store.schedule.postpone_change(change.id, now + delay)
        return replace(change, applies_at=now + delay)

    async def _announce(self, changes: Sequence[ScheduledChange]) -> None:
        if not changes:
            return
        for change in changes:
            self._log.publish(
                ChangeScheduled(
                    number=change.id,
                    domain=change.domain,
                    account=told_account(self._context, change),
                    actor=change.maker.name,
                    acted_from=change.maker.acted_from,
                    ends=time_text(change.applies_at),
                    changes=change_lines(change.changes),
                )
            )
        await self._until_told()
        await self._context.store.schedule.note_announced([one.id for one in changes])

    async def _end(self, change: ScheduledChange) -> None:
        """Apply a change, or drop it. One whose record moves at this moment is tried again."""
        try:
            maker = self._checked_maker(change)
            judge = self._context.acting(maker)
            if await put_change(self._context, change, judge):
                announce_end(self._context, change, "applied")
        except RecordMoved:
            return
        except ChangeObstacle as obstacle:
            await self._drop(change, str(obstacle))

    def _checked_maker(self, change: ScheduledChange) -> Principal:
        """Return the maker with its present rights. Raises Obstacle if they are not enough."""
        directory = self._context.directory.now
        maker = present_maker(change, directory, self._context.now())
        needed = [AdminAction.DOMAIN_DIRECT] * (change.destination is not None)
        needed += [AdminAction.DOMAIN_AUTHORIZE] * (change.authorized_hosts is not None)
        if (
            maker is None
            or not maker.sees_domain(change.account, change.domain)
            or not all(may(maker, action) for action in needed)
        ):
            raise ChangeObstacle(f"{change.maker.name} does not have the right any more")
        domain = directory.domain_by_id(change.domain_id)
        if domain is not None and (locked := lock_on(self._context, domain)):
            raise ChangeObstacle(locked)
        return maker

    async def _drop(self, change: ScheduledChange, why: str) -> None:
        recorded = entry(
            self._context,
            AuditAction.CHANGE_DROPPED,
            change.domain,
            change.account,
            domain=change.domain,
        )
        recorded = replace(with_changes(recorded, change.changes), reason=why)
        if await self._context.store.schedule.drop_change(change.id, recorded):
            announce(self._context, recorded)
            announce_end(self._context, change, "dropped", f"It could not be applied: {why}.")
