"""The page that drills a domain."""

import asyncio
from urllib.parse import urlencode

import pytest

from restante.admin.admin_context import AdminContext
from restante.admin.domain_change import DomainChange
from restante.admin.domain_drill import DrillOrder, drill_domain
from restante.admin.domains import change_domain, remove_domain
from restante.admin.drill_arrival import note_arrived
from restante.admin.drill_proof import DrillProof
from restante.admin.drill_records import note_timer, record_drill
from restante.mail.received_field import HEADER_OCTETS
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole
from restante.web.portal import domain_drill_page
from restante.web.portal.domain_drill_page import MOST_HEADER
from restante.web.route_limits import BODY_OCTETS
from tests.admin.admin_world import NOW, AdminWorld
from tests.admin.test_drill_arrival import BEGINNING, CLIENT, header_of
from tests.web.portal.visitors import ALPHA, BETA, CSRF, hosting, user_of, visit

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


ARRIVAL = f"{PAGE}/arrival"


def proven() -> AdminWorld:
    """A world whose domain has passed a drill."""
    admin = hosting()

    async def story() -> None:
        await note_arrived(admin.store.retention, BEGINNING)
        domain = admin.context.directory.now.domains["alpha.example"]
        await record_drill(admin.context, domain, seconds=1.0, failure="", answer="", reason="")

    asyncio.run(story())
    return admin


def test_the_header_that_arrived_is_read_and_its_result_stays_on_the_page() -> None:
    admin = proven()
    assert "Which client did the primary judge?" in visit(admin, PAGE, ALPHA).text
    judged = f"Received-SPF: pass client-ip={CLIENT}\n"
    header = header_of(admin.context, server=judged).replace("\n", "\r\n")  # as browsers send it
    text = visit(admin, ARRIVAL, ALPHA, form={"header": f"\r\n{header}\r\n\r\nHello"}).text
    assert f"The drill came from {CLIENT}. Filters judged: {CLIENT}." in text
    for page in (text, visit(admin, PAGE, ALPHA).text):
        assert '<span class="state good">PASS</span> filters of the primary judged the' in page
    [entry, *_] = asyncio.run(admin.store.audit.audit(limit=1))
    assert entry.action is AuditAction.DOMAIN_DRILLED


def test_another_header_is_refused_and_stays_on_the_page() -> None:
    answer = visit(proven(), ARRIVAL, ALPHA, form={"header": "Subject: <another>"})
    assert answer.status_code == 422
    assert "its Message-ID is not that of the last drill of alpha.example" in answer.text
    assert "Subject: &lt;another&gt;</textarea>" in answer.text


@pytest.mark.parametrize("header", ["", "x" * (HEADER_OCTETS + 1)])
def test_the_length_of_a_header_has_bounds(header: str) -> None:
    answer = visit(proven(), ARRIVAL, ALPHA, form={"header": header})
    assert answer.status_code == 422
    assert "header: String should have at" in answer.text


def test_without_a_drill_that_passed_no_header_can_be_given() -> None:
    assert "Which client did the primary judge?" not in visit(hosting(), PAGE, ALPHA).text
    answer = visit(hosting(), ARRIVAL, ALPHA, form={"header": "Subject: x"})
    assert (answer.status_code, "is on record" in answer.text) == (422, True)


def test_the_longest_header_of_the_form_fits_a_body() -> None:
    lines = "Received: from [198.51.100.7] (helo=a.example)\r\n\tby b.example with ESMTPS id 1;\r\n"
    header = (lines * MOST_HEADER)[:MOST_HEADER]
    assert len(urlencode({"csrf": CSRF, "header": header})) < BODY_OCTETS


def test_others_give_no_header() -> None:
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    form = {"header": "Subject: x"}
    assert visit(proven(), ARRIVAL, BETA, form=form).status_code == 404
    assert visit(proven(), ARRIVAL, reader, form=form).status_code == 403
