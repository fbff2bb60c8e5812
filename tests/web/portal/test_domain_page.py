"""The page of a domain, and its release."""

from restante.tenancy.grants import GrantedRole
from tests.web.portal.visitors import ALPHA, hosting, user_of, visit


def test_release_asks_for_the_domain_as_the_user() -> None:
    desk = hosting()
    answer = visit(desk, "/domains/alpha.example/release", ALPHA, form={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/domains/alpha.example")
    assert desk.server is not None
    assert desk.server.released == [("alpha.example", "user anna (alpha)", "portal")]


def test_a_reader_may_not_release() -> None:
    desk = hosting()
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(desk, "/domains/alpha.example/release", reader, form={}).status_code == 403
    assert desk.server is not None
    assert desk.server.released == []


def test_looking_releases_nothing() -> None:
    desk = hosting()
    assert visit(desk, "/domains/alpha.example/release", ALPHA).status_code == 405
    assert desk.server is not None
    assert desk.server.released == []
