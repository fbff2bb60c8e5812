"""The release of an account with very many domains."""

import asyncio
import ipaddress
from dataclasses import replace

import pytest

from restante.delivery.cannot_start import CannotStart
from restante.network.resolver import LookupFailed
from restante.queue.drain_word import DrainWay
from restante.release.authorized_host_lookup import HostNames
from restante.release.etrn import etrn_reply
from restante.release.release_allowance import ReleaseAllowance
from restante.release.release_outcome import CannotNow, Refused, pending_messages
from restante.release.release_request import ReleaseRequest, Requester
from restante.release.releaser import STARTS_AT_ONCE, Releaser
from restante.release.turn_answer import TurnAnswer
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.release_store import ReleaseFilter
from restante.telemetry.events import ReleaseRequested
from restante.tenancy.model import HostedDomain, IpAddress, parse_authorized_hosts
from restante.tenancy.policy import DEFAULT_POLICY, Policy, TurnaroundPolicy
from restante.tenancy.release_result import ReleaseResult
from tests.actors import actor_named
from tests.admin.admin_world import Lines
from tests.away_store import AwayStore
from tests.contract.making import NOTED, account, domain, message
from tests.contract.making import login as login_of
from tests.delivery.world import until
from tests.wire import NoTurnaround

REQUEST = ReleaseRequest(Requester(is_operator=True, acting=actor_named("operator")), "#alpha")


class NoNames:
    def forget(self, name: str) -> None:
        pass

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        raise LookupFailed(name, is_temporary=True)


class Drains:
    """Takes a moment for each start."""

    def __init__(self, refused: frozenset[str] = frozenset()) -> None:
        self.refused = refused
        self.started: list[str] = []
        self.ways: list[tuple[DrainWay, int]] = []
        self.at_once = self.most_at_once = 0

    async def turn(self, *asked: object) -> NoTurnaround:
        raise AssertionError(asked)

    async def start(
        self,
        domain: HostedDomain,
        _requested_by: str,
        release: int,
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if domain.name in self.refused:
            raise CannotStart("the server is stopping")
        self.started.append(domain.name)
        self.ways.append((way, release))


async def released(count: int, drains: Drains) -> int:
    """Release an account with so many domains; return the code of the answer."""
    releaser = await releaser_for(count, drains)
    outcome = await releaser.release(replace(REQUEST))
    assert pending_messages(outcome) in (count, 0)
    return etrn_reply(outcome).code


async def releaser_for(
    count: int, drains: Drains, log: Lines | None = None, store: MemoryStore | None = None
) -> Releaser:
    """Make one for an account with so many domains, each with a message."""
    store = store or MemoryStore()
    await store.records.put_account(account(), NOTED)
    for number in range(1, count + 1):
        hosted = await store.records.put_domain(domain(f"d{number:03}.example"), NOTED)
        await store.reception.hold([message(number, hosted.id)])
    directory = LiveDirectory(store.records)
    await directory.refresh()
    return Releaser(
        figures=store.figures,
        releases=store.releases,
        directory=directory,
        drains=drains,
        host_names=HostNames(NoNames(), lambda: 0.0),
        log=log or Lines(),
        now=lambda: 0.0,
        allowance=ReleaseAllowance(60, lambda: 0.0),
    )


@pytest.mark.parametrize("count", [1, STARTS_AT_ONCE, STARTS_AT_ONCE + 1, 4 * STARTS_AT_ONCE])
def test_all_its_drains_start_and_few_at_once(count: int) -> None:
    drains = Drains()
    assert asyncio.run(released(count, drains)) == 253
    assert drains.started == [f"d{number:03}.example" for number in range(1, count + 1)]
    assert drains.most_at_once == min(count, STARTS_AT_ONCE)


def test_all_its_drains_start_although_the_client_leaves_meanwhile() -> None:
    count, drains = 4 * STARTS_AT_ONCE, Drains()

    async def main() -> None:
        releaser = await releaser_for(count, drains)
        client = asyncio.create_task(releaser.release(replace(REQUEST)))
        await until(lambda: bool(drains.started))
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client
        assert len(drains.started) < count
        await until(lambda: len(drains.started) == count)

    asyncio.run(main())


def test_one_that_cannot_start_keeps_none_of_the_later_ones_back() -> None:
    drains = Drains(frozenset({"d001.example"}))
    assert asyncio.run(released(STARTS_AT_ONCE + 2, drains)) == 253
    assert len(drains.started) == STARTS_AT_ONCE + 1


def test_where_none_can_start_it_is_458() -> None:
    names = frozenset(f"d{number:03}.example" for number in range(1, STARTS_AT_ONCE + 2))
    assert asyncio.run(released(STARTS_AT_ONCE + 1, Drains(names))) == 458


def test_a_request_for_no_name_is_of_the_account_that_made_it() -> None:
    async def story() -> None:
        log = Lines()
        releaser = await releaser_for(1, Drains(), log)
        requester = Requester(
            is_operator=True, acting=actor_named("token ci (alpha)"), only_account="alpha"
        )
        for _ in range(61):  # the last is over the limit
            last = await releaser.release(ReleaseRequest(requester, "no name!"))
        assert isinstance(last, CannotNow)
        assert 0 < last.seconds <= 1
        requests = [fields for kind, fields in log.lines if kind is ReleaseRequested]
        assert [one["account"] for one in requests] == ["alpha"] * 61
        assert requests[-1]["reason"] == "too many requests in a minute; not audited"

    asyncio.run(story())


def test_without_the_figures_of_other_servers_the_request_is_to_be_made_again() -> None:
    async def story() -> int:
        store, drains = AwayStore(), Drains()
        releaser = await releaser_for(1, drains, store=store)
        store.absence = "connection refused"
        outcome = await releaser.release(replace(REQUEST))
        assert drains.started == []
        return etrn_reply(outcome).code

    assert asyncio.run(story()) == 458


def test_a_turnaround_is_decided_by_the_records_after_the_look_up_of_host_names() -> None:
    async def story() -> TurnAnswer:
        store = MemoryStore()
        login = replace(login_of("acme-mail"), turnaround=True)
        await store.records.put_account(account(), NOTED)
        await store.records.put_login(login, NOTED)
        allowing = replace(
            domain("d.example"),
            authorized_hosts=parse_authorized_hosts(["mail.example"]),
            policy=Policy(turnaround=TurnaroundPolicy.ALLOW),
        )
        hosted = await store.records.put_domain(allowing, NOTED)
        await store.reception.hold([message(1, hosted.id)])
        directory = LiveDirectory(store.records)
        await directory.refresh()

        class Meanwhile:
            def forget(self, name: str) -> None:
                pass

            async def addresses(self, name: str) -> tuple[IpAddress, ...]:
                denied = replace(hosted, policy=DEFAULT_POLICY)
                await store.records.put_domain(denied, NOTED)
                await directory.refresh()
                return (ipaddress.ip_address("192.0.2.1"),)

        releaser = Releaser(
            figures=store.figures,
            releases=store.releases,
            directory=directory,
            drains=Drains(),
            host_names=HostNames(Meanwhile(), lambda: 0.0),
            log=Lines(),
            now=lambda: 0.0,
            allowance=ReleaseAllowance(60, lambda: 0.0),
        )
        requester = Requester(login, ipaddress.ip_address("192.0.2.1"))
        return await releaser.turn(ReleaseRequest(requester, "d.example"))

    answer = asyncio.run(story())
    assert answer.turnaround is None
    assert isinstance(answer.outcome, Refused)


NAMES = replace(REQUEST, argument="1 2", domain="d001.example")


def test_single_messages_are_on_record_before_their_drain_is() -> None:
    async def story() -> None:
        drains, store = Drains(), MemoryStore()
        releaser = await releaser_for(2, drains, store=store)
        outcome = await releaser.release_messages(NAMES)
        assert pending_messages(outcome) == 2
        [found] = await store.releases.releases(ReleaseFilter())
        assert (found.record.target, found.record.domain, found.record.way) == (
            "1 2",
            "d001.example",
            DrainWay.MESSAGES,
        )
        assert drains.ways == [(DrainWay.MESSAGES, found.record.id)]

    asyncio.run(story())


def test_single_messages_whose_drain_cannot_start_are_recorded_as_such() -> None:
    async def story() -> None:
        drains, store = Drains(frozenset({"d001.example"})), MemoryStore()
        releaser = await releaser_for(1, drains, store=store)
        outcome = await releaser.release_messages(NAMES)
        assert isinstance(outcome, CannotNow)
        [found] = await store.releases.releases(ReleaseFilter())
        assert found.record.result is ReleaseResult.CANNOT_NOW

    asyncio.run(story())


def test_single_messages_of_an_unknown_domain_are_refused() -> None:
    async def story() -> None:
        releaser = await releaser_for(1, Drains())
        outcome = await releaser.release_messages(replace(NAMES, domain="d009.example"))
        assert isinstance(outcome, Refused)

    asyncio.run(story())
