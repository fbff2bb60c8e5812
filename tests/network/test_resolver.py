"""MX records, asked of a name server on loopback."""

import asyncio

import dns.asyncresolver
import dns.resolver
import pytest

from restante.network.resolver import DnsResolver, Exchanger, LookupFailed
from tests.acceptance.name_server import ADDRESS, NameServer, Records

RECORDS: Records = {
    "a.example": {
        "MX": [f"{preference} MX{preference}.a.example." for preference in range(80, 0, -10)]
    },
    "null.example": {"MX": ["0 ."]},
    "none.example": {"A": ["192.0.2.1"]},
    "broken.example": {"MX": ["10 mx.a.example."]},
}


def exchangers(domain: str) -> tuple[Exchanger, ...]:
    with NameServer(RECORDS) as names:
        names.failing = {"broken.example"}
        resolver = DnsResolver([(ADDRESS, names.port)])
        return asyncio.run(resolver.exchangers(domain))


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        (
            "a.example",
            tuple(
                Exchanger(preference, f"mx{preference}.a.example")
                for preference in range(10, 90, 10)
            ),
        ),
        ("null.example", (Exchanger(0, ""),)),
        ("none.example", ()),
    ],
)
def test_they_come_in_the_order_of_preference(domain: str, found: tuple[Exchanger, ...]) -> None:
    assert exchangers(domain) == found


@pytest.mark.parametrize(
    ("domain", "is_temporary"), [("gone.example", False), ("broken.example", True)]
)
def test_a_failure_says_whether_it_may_pass(domain: str, is_temporary: bool) -> None:
    with pytest.raises(LookupFailed, match=domain) as caught:
        exchangers(domain)
    assert caught.value.is_temporary == is_temporary


@pytest.mark.parametrize("name", ["a..b", "a" * 64, "a." * 200, ""])
def test_a_name_that_cannot_be_one_can_be_forgotten(name: str) -> None:
    DnsResolver([(ADDRESS, 9)]).forget(name)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("broken.example", "no name server could answer"),
        ("a..b", "it is not a name that DNS can have"),
        ("a" * 64, "it is not a name that DNS can have"),
        ("a." * 200 + "b", "it is not a name that DNS can have"),
    ],
)
def test_a_failed_lookup_says_its_cause_in_words(name: str, cause: str) -> None:
    with pytest.raises(LookupFailed, match=f"MX lookup failed: {cause}$"):
        exchangers(name)


@pytest.mark.parametrize(("took", "asked"), [(0.1, 2), (10.0, 1)])
def test_a_question_that_ended_before_its_time_is_asked_again(
    took: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dnspython measures by the wall clock: a step of it looks like silence."""
    now, questions = [0.0], 0

    async def gives_up(*_: object, **__: object) -> None:
        nonlocal questions
        questions += 1
        now[0] += took
        raise dns.resolver.LifetimeTimeout(timeout=took, errors=[])  # type: ignore[no-untyped-call]

    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", gives_up)
    resolver = DnsResolver([(ADDRESS, 9)], lambda: now[0])
    with pytest.raises(LookupFailed, match="no name server answered in time"):
        asyncio.run(resolver.exchangers("a.example"))
    assert questions == asked
