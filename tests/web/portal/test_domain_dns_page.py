"""The page with the records to publish for a domain."""

from restante.network.dns_records import DnsRecordSet
from restante.tenancy.grants import GrantedRole
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit

PAGE = "/domains/alpha.example/dns"


def test_the_page_offers_to_ask_dns_and_asks_nothing() -> None:
    text = visit(hosting(), PAGE, ALPHA).text
    assert "Compare with DNS" in text
    assert "restante domain dns alpha.example" in text
    assert "mail exchanger" not in text


def test_missing_and_wrong_records_are_shown_as_text_to_copy() -> None:
    admin = hosting()
    admin.resolver.zone = {
        ("alpha.example", "MX"): DnsRecordSet(("10 <b>.alpha.example", "5 mx2.example.net"), 300),
    }
    text = visit(admin, f"{PAGE}?compare=now", ALPHA).text
    assert "alpha.example. IN MX 20 mx2.example.net." in text
    assert "&lt;b&gt;.alpha.example" in text
    assert "1 wrong" in text
    assert "_smtp._tls.alpha.example. IN TXT" in text
    assert "Optional" in text


def test_readers_see_it_and_others_do_not() -> None:
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(hosting(), f"{PAGE}?compare=now", reader).status_code == 200
    assert visit(hosting(), PAGE, BETA).status_code == 404
    assert visit(hosting(), f"{PAGE}?compare=now", BETA).status_code == 404
    assert PAGE in visit(hosting(), "/domains/alpha.example", reader).text
