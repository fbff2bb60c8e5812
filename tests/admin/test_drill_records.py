"""The last drills of a domain, as marks in the store."""

from restante.admin.drill_records import drill_facts, drill_facts_of, note_told, record_drill
from restante.readiness.drill_facts import NO_DRILL, DrillFacts, destination_mark
from restante.telemetry.events import DrillFailed, DrillPassed
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import NOW, AdminWorld, run


def test_a_failure_counts_until_a_drill_passes() -> None:
    async def story() -> None:
        admin = AdminWorld()
        domain_id = await admin.host("alpha.example", "alpha")
        domain = admin.context.directory.now.domains["alpha.example"]
        marks = admin.store.retention
        mark = destination_mark(domain.destination)
        assert await drill_facts_of(marks, domain_id) == NO_DRILL
        for seconds, expected in (
            (None, DrillFacts(None, 0.0, NOW, 1)),
            (None, DrillFacts(None, 0.0, NOW, 2)),
            (1.5, DrillFacts(NOW, 1.5, None, destination=mark)),
            (None, DrillFacts(NOW, 1.5, NOW, 1, destination=mark)),
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


def test_each_drill_is_an_event_and_one_that_proves_again_says_so() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        domain = admin.context.directory.now.domains["alpha.example"]

        async def record(seconds: float | None) -> None:
            await record_drill(
                admin.context, domain, seconds=seconds, answer="", reason="", failure="enter: no"
            )

        await record(1.5)
        await record(None)
        await record(None)
        await record(1.25)
        await note_told(admin.store.retention, domain.id, 2)
        await record(1.0)
        await record(1.0)
        found = [
            fields.get("proven_again", (fields.get("failures"), fields.get("reason")))
            for event, fields in admin.log.lines
            if event in (DrillPassed, DrillFailed)
        ]
        assert found == [False, (1, "enter: no"), (2, "enter: no"), True, True, False]

    run(story())
