"""The page that drills a domain."""

import asyncio

import pytest

from restante.admin.admin_context import AdminContext
from restante.admin.domain_change import DomainChange
from restante.admin.domain_drill import DrillOrder, drill_domain
from restante.admin.domains import change_domain, remove_domain
from restante.admin.drill_proof import DrillProof
from restante.admin.drill_records import note_timer
from restante.tenancy.grants import GrantedRole
from restante.web.portal import domain_drill_page
from tests.admin.admin_world import NOW
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit

PAGE = "/domains/alpha.example/drill"


def test_the_page_offers_a_drill_and_makes_none() -> None:
    admin = hosting()
    text = visit(admin, PAGE, ALPHA).text
    assert "Drill now" in text
    assert "No drill was made yet." in text
    assert "restante drill alpha.example" in text


def test_a_drill_that_fails_shows_the_step_the_remedy_and_the_proof() -> None:
    admin = hosting()
    text = visit(admin, PAGE, ALPHA, form={}).text
    assert "Not proven." in text
    assert "FAILED" in text
    assert "&#34;signature&#34;" in text
    assert "The last drill failed." in visit(admin, PAGE, ALPHA).text


def test_the_timer_and_the_next_drill_are_shown_to_all_and_changed_by_some() -> None:
    admin = hosting()
    assert "No timer drills the domain." in visit(admin, PAGE, ALPHA).text

    async def story() -> None:
        wanted = DomainChange.model_validate({"drill_every": 30 * 86400})
        await change_domain(admin.context, "alpha.example", wanted)
        await note_timer(admin.store.retention, 1, NOW)

    asyncio.run(story())
    text = visit(admin, PAGE, ALPHA).text
    assert "A timer drills the domain every 30d, next <time" in text
    assert "Change the timer" in text
    operator = user_of("alpha", GrantedRole.ACCOUNT_OPERATOR)
    assert "Change the timer" not in visit(admin, PAGE, operator).text


def test_others_do_not_see_it_and_readers_do_not_start_it() -> None:
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(hosting(), PAGE, BETA).status_code == 404
    assert visit(hosting(), PAGE, BETA, form={}).status_code == 404
    assert visit(hosting(), PAGE, reader).status_code == 403
    assert visit(hosting(), PAGE, reader, form={}).status_code == 403


def test_a_mailbox_that_is_too_long_is_a_fault_of_the_form() -> None:
    answer = visit(hosting(), PAGE, ALPHA, form={"recipient": "x" * 2000})
    assert answer.status_code == 422
    assert "recipient" in answer.text


def test_a_domain_that_is_removed_during_its_drill_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def drill_and_remove(context: AdminContext, name: str, order: DrillOrder) -> DrillProof:
        proof = await drill_domain(context, name, order)
        await remove_domain(admin.context, name, "it left")
        return proof

    admin = hosting()
    monkeypatch.setattr(domain_drill_page, "drill_domain", drill_and_remove)
    assert visit(admin, PAGE, ALPHA, form={}).status_code == 404
