"""The first page: a sentence for each domain, below the things that need a person."""

import asyncio
import time

import pytest

from restante.admin.admin_context import DoorFacts, ServerVitals
from restante.admin.domain_glances import DomainGlance
from restante.background.loop_slices import TURN_SECONDS
from restante.queue.presence import DestinationState, WatchedDestination
from restante.reception.doorkeeper import ShedCause
from restante.store.release_store import ReleaseRecord
from restante.tenancy.grants import GrantedRole
from restante.tenancy.release_result import ReleaseResult
from restante.web.portal import overview_page
from tests.admin.admin_world import NOW, AdminWorld, FakeServer
from tests.contract.making import NOTED
from tests.web.portal.visitors import ALPHA, BETA, CSRF, OPERATOR, hosting, user_of, visit


def test_an_account_sees_its_domains_and_no_others() -> None:
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    text = visit(admin, "/", ALPHA).text
    assert "mail.alpha.example takes mail now. 1 held, 90 B, oldest 1 h" in text
    assert "beta" not in text
    assert f'name="csrf" value="{CSRF}"' in text
    assert "Needs you" not in text


def test_a_reader_has_no_button_that_releases() -> None:
    text = visit(hosting(), "/", user_of("alpha", GrantedRole.ACCOUNT_READER)).text
    assert "alpha.example" in text
    assert "Release now" not in text


def test_the_commands_stand_beside_each_button_that_releases() -> None:
    text = visit(hosting(), "/", ALPHA).text
    assert text.count("<button") - 1 == text.count("restante release alpha.example") == 1
    assert "/v1/releases" in text


def test_refused_mail_needs_a_person() -> None:
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    asyncio.run(admin.refuse(1, 1, "a@alpha.example", "550 5.7.1 <b>no</b>"))
    for who in (ALPHA, OPERATOR):
        text = visit(admin, "/", who).text
        assert "Needs you" in text
        assert "the primary has refused 1 message" in text


def test_a_refused_request_needs_a_person_of_its_account_alone() -> None:
    admin = hosting()
    refused = ReleaseRecord(
        id=9,
        at=NOW,
        actor="login alpha-mail",
        acted_from="192.0.2.25",
        target="alpha.example",
        account="alpha",
        domain="alpha.example",
        result=ReleaseResult.REFUSED,
        reason="<b>not</b> authorized",
        pending=0,
    )
    asyncio.run(admin.store.releases.record_release(refused, NOTED))
    text = visit(admin, "/", ALPHA).text
    assert "login alpha-mail from 192.0.2.25 asked for it and was refused 0 s ago" in text
    assert "&lt;b&gt;not&lt;/b&gt; authorized" in text
    assert "Needs you" not in visit(admin, "/", BETA).text
    assert "asked for it" in visit(admin, "/", OPERATOR).text


def test_an_operator_sees_accounts_and_can_open_one() -> None:
    admin = hosting()
    text = visit(admin, "/", OPERATOR).text
    assert "alpha" in text
    assert "beta" in text
    assert "0.0.0.0:25" in text
    assert "beta.example" not in visit(admin, "/?account=alpha", OPERATOR).text
    assert visit(admin, "/?account=gamma", OPERATOR).status_code == 404
    assert visit(admin, "/?account=beta", ALPHA).status_code == 404


def test_an_operator_finds_accounts_and_domains_by_a_part_of_the_name() -> None:
    admin = hosting()
    assert 'name="find"' in visit(admin, "/", OPERATOR).text
    text = visit(admin, "/?find=LPHA", OPERATOR).text
    assert 'href="/?account=alpha"' in text
    assert 'href="/domains/alpha.example"' in text
    assert "beta" not in text
    assert "1 account and 1 domain with" in text
    text = visit(admin, "/?find=%3Cb%3E", OPERATOR).text
    assert "Nothing found" in text
    assert "&lt;b&gt;" in text
    text = visit(admin, "/?find=beta", ALPHA).text
    assert 'name="find"' not in text
    assert "beta" not in text


def test_the_disk_and_connections_turned_away_are_for_the_operator_alone() -> None:
    vitals = ServerVitals(
        is_room_short=True,
        certificate_expires_at=NOW + 9e6,
        free_octets=2**20,
        disk_reserve=268_435_456,
        door=DoorFacts(7, 1000, {ShedCause.SESSIONS: 34}),
    )
    admin = AdminWorld(server=FakeServer(condition=vitals))
    asyncio.run(admin.host("alpha.example", "alpha"))
    text = visit(admin, "/", OPERATOR).text
    assert '1 MiB free; mail is taken down to 256 MiB <span class="state bad">short</span>' in text
    assert "34 connections since the start, with 421" in text
    assert "Problems of the server" in text
    assert "no mail is taken: " in text
    text = visit(admin, "/", ALPHA).text
    assert "Turned away" not in text
    assert "Disk" not in text


def test_an_account_without_domains_is_told_what_to_do() -> None:
    admin = hosting("alpha")
    assert "No domains" in visit(admin, "/", user_of("gamma")).text


def test_a_reason_of_a_stranger_is_text() -> None:
    admin = hosting("alpha")
    evil = "<script>alert(1)</script>"
    asyncio.run(admin.host("more.example", "alpha", hold="suspended", reason=evil))
    text = visit(admin, "/", ALPHA).text
    assert "suspended, nothing leaves: &lt;script&gt;" in text
    assert evil not in text


@pytest.mark.parametrize("part", ["sentence", "needs"])
def test_others_get_turns_between_domains(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    admin = hosting("alpha", "alpha2")
    for number, name in enumerate(("b", "c"), start=1):
        domain_id = asyncio.run(admin.host(f"{name}.example", "alpha"))
        asyncio.run(admin.hold(number, domain_id, f"a@{name}.example"))
    turns: list[None] = []
    seen: list[int] = []
    real = getattr(overview_page, part)

    def slow(glance: DomainGlance, now: float) -> object:
        seen.append(len(turns))
        asyncio.get_running_loop().call_soon(turns.append, None)
        until = time.perf_counter() + TURN_SECONDS
        while time.perf_counter() <= until:
            pass
        return real(glance, now)

    monkeypatch.setattr(overview_page, part, slow)
    assert "b.example" in visit(admin, "/", ALPHA).text
    assert seen == list(range(len(seen)))
    assert len(seen) >= 2


def test_an_operator_reads_a_sentence_for_each_domain_that_is_away_with_mail() -> None:
    admin = hosting("beta")
    assert admin.server is not None
    seen = WatchedDestination(DestinationState.AWAY, NOW - 60, NOW + 10, "refused", NOW - 5)
    admin.server.sightings["mail.alpha.example:25"] = seen
    assert "Away, with mail" not in visit(admin, "/", OPERATOR).text
    domain_id = admin.context.directory.now.domains["beta.example"].id
    admin.server.is_idle = True
    asyncio.run(admin.hold(1, domain_id, "a@beta.example"))
    text = visit(admin, "/", OPERATOR).text.partition("Away, with mail")[2]
    assert 'href="/domains/beta.example"' in text
    assert "mail.alpha.example has been away since" in text
