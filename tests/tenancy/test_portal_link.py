from restante.tenancy.portal_link import LINK_SECONDS, PortalLink


def test_a_link_is_for_a_user_as_it_was() -> None:
    assert LINK_SECONDS == 30.0
    assert PortalLink("ana@x.example", b"1") != PortalLink("ana@x.example", b"2")
