import pytest

from restante.config.host_name import flaw_of


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("localhost", "is not a full name"),
        ("mx2", "is not a full name"),
        ("mx2.local", "ends in .local, "),
        ("mx2.invalid", "ends in .invalid, "),
        ("mx2.lan", "ends in .lan, "),
        ("localhost.localdomain", "ends in .localdomain, "),
        ("mx2.home.arpa", "ends in .home.arpa, "),
        ("mx_2.acme.com", "has an underscore, "),
    ],
)
def test_a_name_that_no_server_can_have(name: str, flaw: str) -> None:
    assert flaw_of(name).startswith(flaw)


@pytest.mark.parametrize(
    "name",
    [
        "mx2.example.net",
        "local.acme.com",
        "mx-2.acme.com",
        "a.notlocal",
        "xn--bcher-kva.de",
        "mx2.arpa",
    ],
)
def test_a_name_that_a_server_can_have(name: str) -> None:
    assert flaw_of(name) == ""
