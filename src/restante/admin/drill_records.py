"""The result of each drill: marks of its domain in the store, and an entry of the trail.

The marks are the last drill that passed, and those that failed after it. Two more are the beginning
of the timer, and the age of the proof that was reported last. One more is the destination that was
proven. They go with the domain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry
from restante.admin.drill_marks import (
    DESTINATION,
    FAILED,
    FAILURES,
    PASSED,
    SECONDS,
    TIMED,
    TOLD,
)
from restante.readiness.drill_facts import NO_DRILL, DrillFacts, destination_mark
from restante.store.retention_store import RetentionStore
from restante.telemetry.events import DrillFailed, DrillPassed
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain


async def drill_facts(
    marks: RetentionStore, domain_ids: Sequence[int] | None = None
) -> Mapping[int, DrillFacts]:
    """Return the last drills by domain id, of all domains or of some. Raises StoreError."""
    passed = await marks.marks(PASSED, domain_ids)
    seconds = await marks.marks(SECONDS, domain_ids)
    failed = await marks.marks(FAILED, domain_ids)
    failures = await marks.marks(FAILURES, domain_ids)
    timed = await marks.marks(TIMED, domain_ids)
    told = await marks.marks(TOLD, domain_ids)
    destinations = await marks.marks(DESTINATION, domain_ids)
    return {
        one: DrillFacts(
            passed.get(one),
            seconds.get(one, 0.0),
            failed.get(one),
            int(failures.get(one, 0)),
            timed.get(one),
            int(told.get(one, 0)),
            destinations.get(one),
        )
        for one in {*passed, *failed, *timed}
    }


async def drill_facts_of(marks: RetentionStore, domain_id: int) -> DrillFacts:
    """Return the last drills of a domain. Raises StoreError."""
    return (await drill_facts(marks, [domain_id])).get(domain_id, NO_DRILL)


async def note_timer(marks: RetentionStore, domain_id: int, since: float | None) -> None:
    """Note since when a domain has a timer; None: it has none. Raises StoreError."""
    await marks.keep_mark(domain_id, TIMED, since)


async def note_told(marks: RetentionStore, domain_id: int, step: int) -> None:
    """Note the step of the age of the proof that was told. Raises StoreError."""
    await marks.keep_mark(domain_id, TOLD, step or None)


async def record_drill(
    context: AdminContext,
    domain: HostedDomain,
    *,
    seconds: float | None,
    answer: str,
    reason: str,
    failure: str = "",
) -> None:
    """Record a drill: `seconds` of one that passed, None for one that failed. Raises StoreError.

    `answer` is the destination's reply, and `failure` the step and cause of a failure.
    """
    marks, now = context.store.retention, context.now()
    before = await drill_facts_of(marks, domain.id)
    failures = 0 if seconds is not None else before.failures + 1
    await marks.keep_mark(domain.id, FAILED, None if seconds is not None else now)
    await marks.keep_mark(domain.id, FAILURES, failures or None)
    if seconds is not None:
        await marks.keep_mark(domain.id, PASSED, now)
        await marks.keep_mark(domain.id, SECONDS, seconds)
        await marks.keep_mark(domain.id, DESTINATION, destination_mark(domain.destination))
        await note_told(marks, domain.id, 0)
    recorded = entry(
        context,
        AuditAction.DOMAIN_DRILLED,
        domain.name,
        domain.account,
        reason,
        domain=domain.name,
    )
    recorded = replace(recorded, answer=answer)
    await context.store.audit.record([recorded])
    announce(context, recorded)
    if context.parts.log is not None:
        context.parts.log.publish(_event(domain, seconds, before, failure))


def _event(
    domain: HostedDomain, seconds: float | None, before: DrillFacts, failure: str
) -> DrillPassed | DrillFailed:
    if seconds is None:
        return DrillFailed(
            domain=domain.name,
            account=domain.account,
            failures=before.failures + 1,
            reason=failure,
        )
    return DrillPassed(
        domain=domain.name,
        account=domain.account,
        seconds=round(seconds, 3),
        proven_again=before.failed_at is not None or before.told_step > 0,
    )
