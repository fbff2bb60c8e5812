"""The addresses of authorized hosts that are given by name, and how long an old answer holds."""

import asyncio
import ipaddress
from dataclasses import dataclass, field

import pytest

from restante.network.resolver import LookupFailed
from restante.release import authorized_host_lookup
from restante.release.authorized_host_lookup import STALE_SECONDS, HostNames
from restante.tenancy.model import IpAddress

NAME = "primary.example"
OLD, NEW = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::2")
AWAY = LookupFailed("no name server answers", is_temporary=True)
GONE = LookupFailed("no such name in DNS", is_temporary=False)

Answer = tuple[IpAddress, ...] | LookupFailed


@dataclass
class Scene:
    """A resolver that gives its answers in turn, and a clock."""

    answers: list[Answer] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.names = HostNames(self, lambda: self.now)

    def forget(self, name: str) -> None:
        self.calls.append(f"forget {name}")

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        self.calls.append(f"look up {name}")
        answer = self.answers.pop(0)
        if isinstance(answer, LookupFailed):
            raise answer
        return answer

    def ask(self, answer: Answer, at: float = 0.0) -> set[IpAddress]:
        self.answers.append(answer)
        self.now = at
        return set(asyncio.run(self.names.addresses([NAME]))[NAME])


def test_each_request_looks_up_again_past_any_cache() -> None:
    scene = Scene()
    assert scene.ask((OLD,)) == {OLD}
    assert scene.ask((NEW,)) == {NEW}, "a host that moved is authorized at once"
    assert scene.calls == [f"forget {NAME}", f"look up {NAME}"] * 2


def test_names_are_looked_up_once_each_and_do_not_share_answers() -> None:
    scene = Scene([(OLD,), GONE])
    found = asyncio.run(scene.names.addresses(["b.example", "a.example", "b.example"]))
    assert found == {"a.example": frozenset({OLD}), "b.example": frozenset()}


@pytest.mark.parametrize(
    ("failure", "seconds", "expected"),
    [
        (AWAY, STALE_SECONDS - 1, {OLD}),
        (AWAY, STALE_SECONDS, set()),
        (GONE, 0.0, set()),
    ],
    ids=["an hour of silence", "longer silence", "removed from DNS"],
)
def test_the_last_answer_holds_for_an_hour_while_dns_is_out_of_reach(
    failure: LookupFailed, seconds: float, expected: set[IpAddress]
) -> None:
    scene = Scene()
    scene.ask((OLD,))
    assert scene.ask(failure, seconds) == expected
    assert scene.names.known() == ({NAME: expected} if expected else {})


def test_a_failed_look_up_does_not_extend_the_hour() -> None:
    scene = Scene()
    scene.ask((OLD,))
    scene.ask(AWAY, STALE_SECONDS - 1)
    assert scene.ask(AWAY, STALE_SECONDS + 1) == set()


def test_a_name_that_was_removed_has_no_old_answer_to_fall_back_to() -> None:
    scene = Scene()
    scene.ask((OLD,))
    scene.ask(GONE)
    assert scene.ask(AWAY) == set()


def test_a_silent_name_server_is_awaited_for_a_limited_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    scene.ask((OLD,))

    async def silence(_name: str) -> tuple[IpAddress, ...]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(scene, "addresses", silence)
    monkeypatch.setattr(authorized_host_lookup, "LOOKUP_SECONDS", 0.0)
    assert asyncio.run(scene.names.addresses([NAME]))[NAME] == {OLD}


def test_an_ipv4_mapped_address_is_compared_as_ipv4() -> None:
    mapped = ipaddress.ip_address(f"::ffff:{OLD}")
    assert Scene().ask((mapped,)) == {OLD}


def test_the_known_addresses_are_one_object_until_they_change() -> None:
    scene = Scene()
    scene.ask((OLD,))
    known = scene.names.known()
    scene.ask((OLD,))
    assert scene.names.known() is known
    scene.ask((NEW,))
    assert scene.names.known() is not known
    assert known == {NAME: {OLD}}, "a caller's picture never changes"


def test_an_address_that_dns_denies_is_not_kept_while_the_other_version_is_unknown() -> None:
    """A host that was taken off DNS stayed authorized for an hour where AAAA queries fail."""
    scene = Scene()
    assert scene.ask((OLD, NEW)) == {OLD, NEW}
    no_a = LookupFailed("AAAA lookup failed", is_temporary=True, absent=frozenset({4}))
    assert scene.ask(no_a) == {NEW}
    assert scene.names.known()[NAME] == {NEW}
    assert scene.ask(AWAY) == {NEW}
