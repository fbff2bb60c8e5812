"""The page that says how to set up the primary."""

import asyncio

import pytest
from pydantic import SecretStr

from restante.admin.admin_context import OpenListener
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.logins import NewLogin, add_login
from tests.admin.admin_world import AdminWorld, FakeServer
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit

PAGE = "/domains/alpha.example/setup"


def with_logins(*users: str) -> AdminWorld:
    admin = hosting()
    for user in users:
        login = NewLogin(user=user, password=SecretStr("a-very-secret-password"))
        asyncio.run(add_login(admin.context, "alpha", login))
    return admin


def test_the_lines_have_the_names_of_the_domain_and_of_a_login() -> None:
    text = visit(with_logins("alpha-mail"), PAGE, ALPHA).text
    assert "machine mx2.example.net login alpha-mail password PASSWORD" in text
    assert "ETRN alpha.example" in text
    assert "IN MX 10 mail.alpha.example." in text
    assert "a-very-secret-password" not in text


def test_a_login_can_be_chosen_but_not_made_up() -> None:
    admin = with_logins("alpha-1", "alpha-2")
    assert "--login alpha-1 " in visit(admin, PAGE, ALPHA).text
    assert "--login alpha-2 " in visit(admin, f"{PAGE}?login=alpha-2", ALPHA).text
    assert "beta-mail" not in visit(admin, f"{PAGE}?login=beta-mail", ALPHA).text


def test_without_a_login_the_page_says_so() -> None:
    text = visit(with_logins(), PAGE, ALPHA).text
    assert "none is known here; replace LOGIN below" in text


@pytest.mark.parametrize("address", ["192.0.2.1", "[2001:db8::1]:2525"])
def test_a_destination_without_a_name_gets_a_marked_gap(address: str) -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha", destination=address))
    text = visit(admin, PAGE, ALPHA).text
    assert "IN MX 10 HOST-NAME." in text
    assert "An MX record needs a host name" in text
    assert "mail.alpha.example" not in text


def test_the_port_is_the_one_that_is_open() -> None:
    class OddPort(FakeServer):
        def listeners(self) -> list[OpenListener]:
            return [OpenListener("smtps", "[::]:8465", "1.2", 0)]

    admin = AdminWorld(server=OddPort())
    asyncio.run(admin.host("alpha.example", "alpha"))
    assert "smtps://mx2.example.net:8465" in visit(admin, PAGE, ALPHA).text


def test_others_do_not_see_it() -> None:
    admin = with_logins("alpha-mail")
    assert visit(admin, PAGE, BETA).status_code == 404
    assert "alpha-mail" in visit(admin, PAGE, OPERATOR).text


def test_a_domain_that_allows_turnarounds_shows_how_to_fetch() -> None:
    admin = with_logins("alpha-mail")
    fetch = "restante-client turn mx2.example.net"
    assert fetch not in visit(admin, PAGE, ALPHA).text
    change = DomainChange.model_validate({"turnaround": "allow"})
    asyncio.run(change_domain(admin.context, "alpha.example", change))
    assert fetch in visit(admin, PAGE, ALPHA).text


def test_a_domain_without_a_destination_fetches_only() -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha", destination="none"))
    text = visit(admin, PAGE, ALPHA).text
    assert "restante-client turn mx2.example.net" in text
    assert "restante-client ask" not in text
    assert "IN MX 10 mx2.example.net." in text
    assert "453 nothing is held" in text


def test_the_lines_for_filters_have_our_address_and_their_danger() -> None:
    admin = with_logins("alpha-mail")
    admin.resolver.known["mx2.example.net"] = ["203.0.113.2"]
    admin.resolver.known["mail.alpha.example"] = []
    text = visit(admin, PAGE, ALPHA).text
    assert "local_addrs = [127.0.0.0/8, ::1, 203.0.113.2];" in text
    assert "Use both files or neither" in text
    assert 'href="/domains/alpha.example/check"' in text
