"""The name of an address, asked of a name server on loopback."""

import asyncio
import ipaddress

import pytest

from restante.mail.message_origin import PtrStatus
from restante.network.ptr_lookup import PtrAnswer, PtrLookup
from tests.acceptance.name_server import ADDRESS, NameServer, Records

LONG = ".".join(["x" * 63] * 4)


def reverse(address: str) -> str:
    return ipaddress.ip_address(address).reverse_pointer


RECORDS: Records = {
    reverse("192.0.2.1"): {"PTR": ["MX.a.example."]},
    "mx.a.example": {"A": ["192.0.2.9", "192.0.2.1"], "AAAA": ["2001:db8::1"]},
    reverse("2001:db8::1"): {"PTR": ["mx.a.example."]},
    reverse("192.0.2.2"): {"PTR": ["mx.a.example."]},
    reverse("192.0.2.3"): {"PTR": ["gone.a.example."]},
    reverse("192.0.2.4"): {"PTR": ["broken.a.example."]},
    reverse("192.0.2.5"): {"PTR": ["broken.a.example.", "gone.a.example.", "x.a.example."]},
    "x.a.example": {"A": ["192.0.2.5"]},
    reverse("192.0.2.6"): {"A": ["192.0.2.6"]},
    reverse("192.0.2.7"): {"PTR": ["a\\032b.example."]},
    reverse("192.0.2.8"): {"PTR": ["192.0.2.8."]},
    reverse("192.0.2.10"): {"PTR": [f"a{number}.a.example." for number in range(9)]},
}


def answer(address: str, time_to_live: int = 0) -> tuple[PtrAnswer, int]:
    """Return the answer, and how many questions it took."""
    with NameServer(RECORDS, time_to_live) as names:
        names.failing = {"broken.a.example", reverse("192.0.2.66")}
        lookup = PtrLookup([(ADDRESS, names.port)])
        found = asyncio.run(lookup.answer(ipaddress.ip_address(address)))
        return found, len(names.asked)


@pytest.mark.parametrize(
    ("address", "status", "name"),
    [
        ("192.0.2.1", PtrStatus.CONFIRMED, "mx.a.example"),
        ("2001:db8::1", PtrStatus.CONFIRMED, "mx.a.example"),
        ("192.0.2.2", PtrStatus.UNCONFIRMED, "mx.a.example"),
        ("192.0.2.3", PtrStatus.UNCONFIRMED, "gone.a.example"),
        ("192.0.2.4", PtrStatus.FAILED, "broken.a.example"),
        ("192.0.2.5", PtrStatus.CONFIRMED, "x.a.example"),
        ("192.0.2.6", PtrStatus.NONE, ""),
        ("192.0.2.7", PtrStatus.NONE, ""),
        ("192.0.2.8", PtrStatus.NONE, ""),
        ("192.0.2.55", PtrStatus.NONE, ""),
        ("192.0.2.66", PtrStatus.FAILED, ""),
    ],
)
def test_only_a_name_that_leads_back_is_confirmed(
    address: str, status: PtrStatus, name: str
) -> None:
    found, _ = answer(address)
    assert (found.status, found.name) == (status, name)


def test_an_address_with_many_names_costs_few_questions() -> None:
    found, questions = answer("192.0.2.10")
    assert found.status is PtrStatus.UNCONFIRMED
    assert questions == 4


def test_an_answer_says_how_long_it_holds() -> None:
    assert answer("192.0.2.1", 600)[0].seconds == 600


def test_silence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restante.network.ptr_lookup.LIFETIME", 0.05)
    lookup = PtrLookup([(ADDRESS, 9)])
    found = asyncio.run(lookup.answer(ipaddress.ip_address("192.0.2.1")))
    assert found.status is PtrStatus.FAILED
