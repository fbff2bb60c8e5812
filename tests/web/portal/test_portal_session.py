from restante.tenancy.principal import NOBODY
from restante.web.portal.portal_session import PortalSession


def test_a_session_is_fresh_until_its_time_and_not_at_it() -> None:
    session = PortalSession(NOBODY, "ana@acme.example", "token", 1000.0)
    assert session.is_fresh(999.9)
    assert not session.is_fresh(1000.0)
