"""The certificates in use, as other parts know them."""

import pytest

from restante.network.served_certificate import ServedCertificate, first_end, wildcard_for


@pytest.mark.parametrize(
    ("host", "is_covered"),
    [
        ("mx.customer.example", True),
        ("customer.example", False),
        ("a.b.customer.example", False),  # a wildcard is one label (RFC 9525 §6.3)
        ("mx2.example.net", True),
        ("mx3.example.net", False),
    ],
)
def test_the_hosts_that_it_covers(host: str, *, is_covered: bool) -> None:
    served = ServedCertificate(("mx2.example.net", "*.customer.example"), 0.0)
    assert served.covers(host) is is_covered


def test_a_wildcard_replaces_the_first_label() -> None:
    assert wildcard_for("mx.customer.example") == "*.customer.example"


def test_the_first_end_of_all() -> None:
    assert first_end([ServedCertificate((), 3.0), ServedCertificate((), 2.0)]) == 2.0
