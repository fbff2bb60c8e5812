"""The page that drills a domain."""

from restante.tenancy.grants import GrantedRole
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
