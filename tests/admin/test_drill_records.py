"""The last drills of a domain, as marks in the store."""

from restante.admin.drill_records import drill_facts, drill_facts_of, record_drill
from restante.readiness.drill_facts import NO_DRILL, DrillFacts
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import NOW, AdminWorld, run


def test_a_failure_counts_until_a_drill_passes() -> None:
    async def story() -> None:
        admin = AdminWorld()
        domain_id = await admin.host("alpha.example", "alpha")
        domain = admin.context.directory.now.domains["alpha.example"]
        marks = admin.store.retention
        assert await drill_facts_of(marks, domain_id) == NO_DRILL
        for seconds, expected in (
            (None, DrillFacts(None, 0.0, NOW)),
            (1.5, DrillFacts(NOW, 1.5, None)),
            (None, DrillFacts(NOW, 1.5, NOW)),
        ):
            await record_drill(
                admin.context, domain, seconds=seconds, answer="250 ok", reason="why"
            )
            assert await drill_facts(marks) == {domain_id: expected}
        [entry] = await admin.store.audit.audit(
            AuditFilter(action=AuditAction.DOMAIN_DRILLED), limit=1
        )
        assert (entry.domain, entry.account, entry.answer) == ("alpha.example", "alpha", "250 ok")

    run(story())
