"""The result of each drill: marks of its domain in the store, and an entry of the trail.

The marks are the last drill that passed, and one that failed after it. They go with the domain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry
from restante.readiness.drill_facts import NO_DRILL, DrillFacts
from restante.store.retention_store import RetentionStore
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain

_PASSED: Final = "drill-passed"
_SECONDS: Final = "drill-seconds"
_FAILED: Final = "drill-failed"


async def drill_facts(
    marks: RetentionStore, domain_ids: Sequence[int] | None = None
) -> Mapping[int, DrillFacts]:
    """Return the last drills by domain id, of all domains or of some. Raises StoreError."""
    passed = await marks.marks(_PASSED, domain_ids)
    seconds = await marks.marks(_SECONDS, domain_ids)
    failed = await marks.marks(_FAILED, domain_ids)
    return {
        one: DrillFacts(passed.get(one), seconds.get(one, 0.0), failed.get(one))
        for one in {*passed, *failed}
    }


async def drill_facts_of(marks: RetentionStore, domain_id: int) -> DrillFacts:
    """Return the last drills of a domain. Raises StoreError."""
    return (await drill_facts(marks, [domain_id])).get(domain_id, NO_DRILL)


async def record_drill(
    context: AdminContext,
    domain: HostedDomain,
    *,
    seconds: float | None,
    answer: str,
    reason: str,
) -> None:
    """Record a drill: `seconds` of one that passed, None for one that failed. Raises StoreError.

    `answer` is the destination's reply.
    """
    marks, now = context.store.retention, context.now()
    if seconds is None:
        await marks.keep_mark(domain.id, _FAILED, now)
    else:
        await marks.keep_mark(domain.id, _PASSED, now)
        await marks.keep_mark(domain.id, _SECONDS, seconds)
        await marks.keep_mark(domain.id, _FAILED, None)
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
