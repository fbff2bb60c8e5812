"""The header of a drill's message, read back: whose it must be, and the traces that it leaves."""

import pytest

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.auditing import moment
from restante.admin.drill_arrival import (
    DrillArrival,
    note_arrived,
    read_arrival,
    trust_facts_of,
)
from restante.admin.drill_leftovers import DrillBeginning
from restante.readiness.drill_message import DrillMessage
from restante.readiness.filter_trust import FilterTrust, TrustFacts
from restante.readiness.readiness_row import ReadinessVerdict
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import NOW, AdminWorld, run

DOMAIN = "alpha.example"
HOST = "mx2.example.net"
CLIENT, CONNECTION = "198.51.100.7", "203.0.113.2"
BEGINNING = DrillBeginning(1, DOMAIN, NOW)


def header_of(context: AdminContext, of: DrillBeginning = BEGINNING, server: str = "") -> str:
    """Return the header of a drill's message, with fields of the primary on top."""
    token = of.token(context.vault)
    message = DrillMessage(token, of.domain, HOST, f"postmaster@{of.domain}", moment(of.at))
    own = f"Received: from [{CLIENT}] (helo={HOST})\n\tby {HOST} with ESMTPS id 1;\n\ttoday\n"
    return server + own + message.content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")


async def refusal(admin: AdminWorld, header: str) -> str:
    with pytest.raises(AdminError) as refused:
        await read_arrival(admin.context, DOMAIN, DrillArrival(header=header))
    return f"{refused.value.error}; {refused.value.remedy}"


def test_the_result_is_kept_until_another_header_is_read() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host(DOMAIN, "alpha")
        marks = admin.store.retention
        await note_arrived(marks, BEGINNING)
        assert await trust_facts_of(marks, 1) is None
        for server, trust, verdict in (
            (f"client-ip={CLIENT}", FilterTrust.CLIENT, ReadinessVerdict.PASS),
            (f"client-ip={CONNECTION}", FilterTrust.NOT_FOUND, ReadinessVerdict.UNKNOWN),
            ("none", FilterTrust.NOT_FOUND, ReadinessVerdict.UNKNOWN),
        ):
            header = header_of(admin.context, server=f"Received-SPF: pass {server}\n")
            arrival = DrillArrival(header=header, reason="why")
            view = await read_arrival(admin.context, DOMAIN, arrival)
            assert (view.trust, view.verdict, view.client) == (trust, verdict, CLIENT)
            assert await trust_facts_of(marks, 1) == TrustFacts(trust, NOW)
        await note_arrived(marks, DrillBeginning(1, DOMAIN, NOW + 1))  # of the next drill
        assert await trust_facts_of(marks, 1) == TrustFacts(FilterTrust.NOT_FOUND, NOW)
        [*_, first] = await admin.store.audit.audit(
            AuditFilter(action=AuditAction.DOMAIN_DRILLED), limit=9
        )
        assert (first.domain, first.account) == (DOMAIN, "alpha")
        assert first.reason == "why; header of its message read: client"
        assert first.answer == f"client {CLIENT}, judged {CLIENT}"

    run(story())


def test_only_the_message_of_the_last_drill_of_this_domain_counts() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host(DOMAIN, "alpha")
        assert "`restante drill alpha.example` first" in await refusal(
            admin, header_of(admin.context)
        )
        await note_arrived(admin.store.retention, BEGINNING)
        for other in (
            DrillBeginning(1, DOMAIN, NOW - 1),  # an earlier drill
            DrillBeginning(2, "beta.example", NOW),  # of another domain
        ):
            assert "not that of the last drill" in await refusal(
                admin, header_of(admin.context, other)
            )
        assert "not that of the last drill" in await refusal(admin, "Message-ID: \xff")
        whole = header_of(admin.context)
        without = whole[whole.index("Date: ") :]
        assert "has no Received field of the server" in await refusal(admin, without)
        assert await trust_facts_of(admin.store.retention, 1) is None

    run(story())


@pytest.mark.parametrize("value", [-1.0, 6.0, 7.5])
def test_a_word_of_a_newer_version_is_not_known(value: float) -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host(DOMAIN, "alpha")
        await admin.store.retention.keep_mark(1, "drill-trust", value)
        await admin.store.retention.keep_mark(1, "drill-read", NOW)
        assert await trust_facts_of(admin.store.retention, 1) is None

    run(story())
