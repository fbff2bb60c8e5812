"""The policies of MTA-STS that are kept: how often they are fetched, and how long they bind."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.network.dns_records import DnsRecordSet
from restante.network.outgoing_http import OutgoingFailed
from restante.readiness.mta_sts import StsPolicy
from restante.reports import sts_policies
from restante.reports.sts_policies import FAILURE_SECONDS, FRESH_SECONDS, StsPolicies

DAY = 86_400.0
WEEK = 7 * DAY


def text(mode: str = "enforce", mx: str = "mx.a.example", age: float = WEEK) -> str:
    return f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {age:.0f}\n"


@dataclass
class Internet:
    """DNS and the servers of policies, which count the questions."""

    announced: str = "v=STSv1; id=1;"
    served: str = field(default_factory=text)  # "" where the server is down
    now: float = 1000.0
    fetched: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.policies = StsPolicies(self, self.fetch, lambda: self.now)

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        assert (name.partition(".")[0], kind) == ("_mta-sts", "TXT")
        return DnsRecordSet((self.announced,) if self.announced else ())

    async def fetch(self, url: str) -> str:
        self.fetched.append(url)
        if self.hold is not None:
            await self.hold.wait()
        if not self.served:
            raise OutgoingFailed("no answer in time")
        return self.served

    def policy(self, domain: str = "a.example") -> StsPolicy | None:
        return asyncio.run(self.policies.policy(domain))

    def mode(self) -> str:
        found = self.policy()
        return "" if found is None else found.mode


def test_a_policy_is_fetched_once() -> None:
    internet = Internet()
    assert [internet.mode(), internet.mode()] == ["enforce", "enforce"]
    assert internet.fetched == ["https://mta-sts.a.example/.well-known/mta-sts.txt"]


def test_a_domain_that_announces_none_is_left_alone() -> None:
    internet = Internet(announced="")
    assert internet.mode() == ""
    assert not internet.fetched


def test_a_new_id_or_a_day_has_it_fetched_again() -> None:
    internet = Internet()
    internet.policy()
    internet.announced, internet.served = "v=STSv1; id=2;", text("testing")
    assert internet.mode() == "testing"
    internet.now += FRESH_SECONDS
    internet.served = text("none")
    assert internet.mode() == "none"
    assert len(internet.fetched) == 3


def test_a_kept_policy_binds_until_its_end_whatever_dns_and_its_server_say() -> None:
    internet = Internet()
    internet.policy()
    internet.announced = ""
    internet.now += WEEK - 1
    assert internet.mode() == "enforce"
    internet.announced, internet.served = "v=STSv1; id=2;", ""
    assert internet.mode() == "enforce"
    assert len(internet.fetched) == 2
    internet.now += 1
    assert internet.mode() == ""


@pytest.mark.parametrize("served", ["", "<html>", "version: STSv1\nmode: enforce\n"])
def test_a_policy_that_cannot_be_had_binds_nobody_and_is_tried_again_later(served: str) -> None:
    internet = Internet(served=served)
    assert [internet.mode() for _ in range(5)] == [""] * 5
    assert len(internet.fetched) == 1
    internet.now += FAILURE_SECONDS
    internet.served = text()
    assert internet.mode() == "enforce"


def test_deliveries_to_one_domain_share_a_fetch() -> None:
    internet = Internet()

    async def act() -> list[StsPolicy | None]:
        internet.hold = asyncio.Event()
        asked = [asyncio.create_task(internet.policies.policy("a.example")) for _ in range(20)]
        for _ in range(5):
            await asyncio.sleep(0)
        internet.hold.set()
        return await asyncio.gather(*asked)

    assert len({*asyncio.run(act())}) == 1
    assert len(internet.fetched) == 1


def test_a_delivery_that_gives_up_leaves_the_fetch_to_the_next() -> None:
    internet = Internet()

    async def act() -> StsPolicy | None:
        internet.hold = asyncio.Event()
        first = asyncio.create_task(internet.policies.policy("a.example"))
        second = asyncio.create_task(internet.policies.policy("a.example"))
        await asyncio.sleep(0)
        first.cancel()
        internet.hold.set()
        return await second

    assert asyncio.run(act()) is not None


def test_strangers_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sts_policies, "MOST_KEPT", 10)
    internet = Internet()
    for number in range(50):
        internet.policy(f"{number}.example")
        internet.policy("a.example")  # it is used, and so it stays
    assert len(internet.policies._kept) == 10
    assert internet.fetched.count("https://mta-sts.a.example/.well-known/mta-sts.txt") == 1
    monkeypatch.setattr(sts_policies, "MOST_OCTETS", 5000)
    internet.served = text(mx="x" * 1500)
    for number in range(50, 60):
        internet.policy(f"{number}.example")
    assert len(internet.policies._kept) == 2
    assert internet.policies._octets == sum(one.weight for one in internet.policies._kept.values())
