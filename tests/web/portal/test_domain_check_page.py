"""The page that checks a domain."""

from restante.network.dns_records import DnsRecordSet
from restante.tenancy.grants import GrantedRole
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit

PAGE = "/domains/alpha.example/check"


def test_the_page_offers_a_check_and_makes_none() -> None:
    text = visit(hosting(), PAGE, ALPHA).text
    assert "Check now" in text
    assert "restante domain check alpha.example" in text
    assert "SPF of the domain" not in text


def test_the_rows_are_shown_with_remedies_as_text() -> None:
    admin = hosting()
    admin.resolver.zone = {
        ("alpha.example", "MX"): DnsRecordSet(("10 <b>.alpha.example",), 300),
    }
    text = visit(admin, PAGE, ALPHA, form={}).text
    assert "SPF of the domain" in text
    assert "&lt;b&gt;.alpha.example 10: this server is not among them" in text
    assert "alpha.example.  IN MX 20 mx2.example.net." in text
    assert "FAIL" in text


def test_others_do_not_see_it_and_readers_do_not_start_it() -> None:
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(hosting(), PAGE, BETA).status_code == 404
    assert visit(hosting(), PAGE, BETA, form={}).status_code == 404
    assert visit(hosting(), PAGE, reader).status_code == 403
    assert visit(hosting(), PAGE, reader, form={}).status_code == 403
    assert PAGE not in visit(hosting(), "/domains/alpha.example", reader).text
    assert PAGE in visit(hosting(), "/domains/alpha.example", ALPHA).text
