"""The audit trail: newest first, by pages, and each account its own."""

from dataclasses import replace

import pytest

from restante.store.audit_store import GrantedRequest
from restante.store.interface import Store
from restante.tenancy.audit import AuditAction, AuditEntry, AuditFilter
from restante.tenancy.record_change import Change
from restante.tenancy.release_result import ReleaseResult


def entry(subject: str, of: str = "alpha") -> AuditEntry:
    """An entry with every field filled."""
    return AuditEntry(
        at=12.5,
        action=AuditAction.RELEASE_REQUESTED,
        actor="login alice",
        subject=subject,
        account=of,
        acted_from="192.0.2.1",
        answer="459 4.7.1 not allowed",
        reason="host not authorized",
        result=ReleaseResult.REFUSED,
    )


async def test_entries_come_back_newest_first(store: Store) -> None:
    await store.audit.record([entry("first"), entry("second")])
    await store.audit.record([entry("third")])
    assert await store.audit.audit() == [entry("third"), entry("second"), entry("first")]


async def test_only_as_many_as_are_asked_for(store: Store) -> None:
    await store.audit.record([entry(str(number)) for number in range(10)])
    assert [one.subject for one in await store.audit.audit(limit=3)] == ["9", "8", "7"]


@pytest.mark.parametrize(
    "wanted", [AuditFilter(), AuditFilter(account="alpha"), AuditFilter(domain="alpha.example")]
)
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
async def test_pages_go_on_where_the_one_before_ended(
    store: Store, wanted: AuditFilter, limit: int
) -> None:
    """Entries that come meanwhile are newer than all of them, and in none."""
    of_both = [("alpha", "alpha.example"), ("beta", "beta.example")]
    entries = [
        replace(entry(str(number), of=of), domain=name)
        for number in range(5)
        for of, name in of_both
    ]
    await store.audit.record(entries)
    expected = await store.audit.audit(wanted)
    found, before = [], None
    while True:
        page = await store.audit.audit_page(wanted, limit, before)
        assert len(page.entries) <= limit
        found += page.entries
        await store.audit.record([entry("meanwhile")])
        if (before := page.before) is None:
            break
    assert found == expected


async def test_an_account_sees_its_own_entries_only(store: Store) -> None:
    await store.audit.record(
        [entry("a"), entry("b", of="beta"), entry("c"), entry("nobody's", of="")]
    )
    assert [one.subject for one in await store.audit.audit(AuditFilter(account="alpha"))] == [
        "c",
        "a",
    ]
    assert [one.subject for one in await store.audit.audit(AuditFilter(account=""))] == ["nobody's"]
    assert [
        one.subject for one in await store.audit.audit(AuditFilter(account="alpha"), limit=1)
    ] == ["c"]


async def test_entries_are_found_by_what_they_are_about(store: Store) -> None:
    at = replace(entry("a"), at=100.0, domain="alpha.example", actor="operator root")
    later = replace(entry("b"), at=200.0, domain="beta.example", actor="login root")
    other = replace(
        entry("c", of="beta"), at=300.0, action=AuditAction.MAIL_DELETED, actor="retention"
    )
    await store.audit.record([at, later, other])
    cases = {
        AuditFilter(domain="alpha.example"): [at],
        AuditFilter(domain="alpha.example", account="beta"): [],
        AuditFilter(action="mail-deleted"): [other],
        AuditFilter(actor="root"): [later, at],
        AuditFilter(actor="operator"): [at],
        AuditFilter(actor="operator root"): [at],
        AuditFilter(actor="retention"): [other],
        AuditFilter(actor="roo_"): [],
        AuditFilter(since=200.0): [other, later],
        AuditFilter(until=200.0): [at],
        AuditFilter(account="alpha", since=100.0, until=300.0, actor="login root"): [later],
    }
    for wanted, found in cases.items():
        assert await store.audit.audit(wanted) == found, wanted
    assert await store.audit.audit(AuditFilter(since=100.0), limit=1) == [other]


async def test_an_entry_keeps_its_changes(store: Store) -> None:
    changes = (
        Change("policy.hold", "until-asked", "on-return"),
        Change("note", "none", "ümläut → \x07"),
    )
    await store.audit.record([replace(entry("alpha"), changes=changes)])
    assert (await store.audit.audit())[0].changes == changes


async def test_recording_nothing_is_nothing(store: Store) -> None:
    await store.audit.record([])
    assert await store.audit.audit() == []


def asked_for(
    target: str, at: float, of: str = "alpha", result: ReleaseResult = ReleaseResult.GRANTED
) -> AuditEntry:
    """An entry of a release request. The digits of its reply tell nothing."""
    return AuditEntry(
        at, AuditAction.RELEASE_REQUESTED, "login p", target, of, answer="253 OK", result=result
    )


async def test_the_last_granted_request_for_each_target_is_known(store: Store) -> None:
    assert list(await store.audit.last_requests()) == []
    await store.audit.record(
        [asked_for("Alpha.example", 5.0), asked_for("alpha.example", 3.0), entry("something else")]
    )
    await store.audit.record(
        [
            asked_for("beta.example", 4.0, result=ReleaseResult.REFUSED),
            asked_for("@alpha.example", 6.0),
        ]
    )
    assert list(await store.audit.last_requests()) == [
        GrantedRequest("@alpha.example", "alpha", 6.0),
        GrantedRequest("alpha.example", "alpha", 5.0),
    ]


async def test_a_request_counts_if_its_result_is_done(store: Store) -> None:
    await store.audit.record(
        [asked_for(f"{result}.example", 1.0, result=result) for result in ReleaseResult]
    )
    done = sorted(f"{result}.example" for result in ReleaseResult if result.is_done)
    assert [one.target for one in await store.audit.last_requests()] == done


async def test_requests_that_came_since_are_known_and_those_before_not_forgotten(
    store: Store,
) -> None:
    for at in range(1, 6):
        await store.audit.record(
            [asked_for("alpha.example", float(at)), asked_for(f"{at}.example", float(at), "beta")]
        )
        found = {(one.target, one.account): one.at for one in await store.audit.last_requests()}
        assert found["alpha.example", "alpha"] == at
        assert found["1.example", "beta"] == 1.0
        assert len(found) == at + 1


async def test_the_entries_about_some_domains_are_found(store: Store) -> None:
    """Those about no domain, or several, are about none of these."""
    names = ["alpha.example", "", "beta.example", "two.alpha.example"]
    await store.audit.record([replace(entry(name or "all"), domain=name) for name in names])
    wanted = frozenset({"alpha.example", "two.alpha.example", "gone.example"})
    for found_by in (AuditFilter(domains=wanted), AuditFilter(account="alpha", domains=wanted)):
        found = await store.audit.audit(found_by)
        assert [one.subject for one in found] == ["two.alpha.example", "alpha.example"]
    assert await store.audit.audit(AuditFilter(domain="beta.example", domains=wanted)) == []
    assert await store.audit.audit(AuditFilter(domains=frozenset())) == []
