"""No sign ever ends in 5xx, and no failure of a filter costs mail: all checks together."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.check import CheckLimits, ClientFacts, OnFailure
from restante.checks.check_runner import CheckRunner
from restante.checks.dns_list_check import DnsListCheck
from restante.checks.early_talker import EarlyTalkerCheck
from restante.checks.greylist_check import GreylistCheck
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.session_checks import SessionChecks
from restante.checks.spf_check import SpfCheck
from restante.checks.suspicion import SuspicionCheck
from restante.checks.verdict import CheckRefused
from restante.mail.address import Mailbox
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.tenancy.policy import HygienePolicy, OwnDomainPolicy
from tests.checks.sample_checks import Broken, Undecided
from tests.checks.signs import BlockLists, facts, listed_at
from tests.checks.test_spf_check import SpfAnswers
from tests.delivery.swift_loop import run_swiftly
from tests.log_lines import Lines

SETTINGS = HygieneSettings(
    dnsbl=("one.example*2", "two.example"), dnsbl_threshold=2, spf=True, greylist=True
)
ZONES = st.lists(st.sampled_from(["one.example", "two.example", "gone.example"]), max_size=3)
CLIENTS = st.builds(
    ClientFacts,
    st.ip_addresses(),
    st.text(max_size=20),
    st.just("mx2.example.net"),
    spoke_early=st.booleans(),
)
PATHS = st.sampled_from(
    [None, Mailbox("x", "a.example"), Mailbox("x", "b.example"), Mailbox("root", "web1")]
)


@given(
    hygiene=st.sampled_from(HygienePolicy),
    own_domain=st.sampled_from(OwnDomainPolicy),
    client=CLIENTS,
    path=PATHS,
    zones=ZONES,
    is_whole=st.booleans(),
    seconds=st.sampled_from([0.0, 0.5, 60.0, None]),
    result=st.sampled_from(["pass", "fail", "none", "temperror", "permerror", ""]),
    on_failure=st.sampled_from(OnFailure),
    is_up=st.booleans(),
)
def test_no_reputation_ends_in_5xx(
    *,
    hygiene: HygienePolicy,
    own_domain: OwnDomainPolicy,
    client: ClientFacts,
    path: Mailbox | None,
    zones: list[str],
    is_whole: bool,
    seconds: float | None,
    result: str,
    on_failure: OnFailure,
    is_up: bool,
) -> None:
    """The signs, the policy and the state of the filters do not matter."""
    lists = BlockLists(listed_at(*zones, is_whole=is_whole), seconds)
    examined = facts(hygiene, own_domain, client, path)

    async def refusal() -> CheckRefused | None:
        loop = asyncio.get_running_loop()
        checks = (
            SuspicionCheck(LiveDirectory(MemoryStore().records)),
            EarlyTalkerCheck(),
            GreylistCheck(lambda: SETTINGS, lambda _destination: is_up, loop.time),
            DnsListCheck(lists, lambda: SETTINGS),
            SpfCheck(SpfAnswers(result, seconds=1.0), lambda: SETTINGS),
            Broken(),
            Undecided(),
        )
        limits = CheckLimits(seconds=3.0, on_failure=on_failure)
        runners = [CheckRunner(check, limits, Lines(), loop.time) for check in checks]
        answer = SessionChecks(runners).recipient(examined, lambda _check, _passed: None)
        return answer if answer is None or isinstance(answer, CheckRefused) else await answer

    refused = run_swiftly(refusal())
    if refused is not None:
        assert 400 <= refused.reply.code < 500
    if refused is not None and on_failure is OnFailure.ACCEPT:
        assert HygienePolicy.DEFER in (hygiene, own_domain)


@pytest.mark.parametrize("seconds", [60.0, None], ids=["slow", "silent"])
def test_mail_is_taken_while_the_lists_do_not_answer(seconds: float | None) -> None:
    lists = BlockLists(listed_at("one.example"), seconds)

    async def passed() -> CheckRefused | None:
        loop = asyncio.get_running_loop()
        limits = CheckLimits(seconds=3.0)
        runner = CheckRunner(DnsListCheck(lists, lambda: SETTINGS), limits, Lines(), loop.time)
        began = loop.time()
        answer = SessionChecks([runner]).recipient(
            facts(HygienePolicy.DEFER), lambda _check, _passed: None
        )
        assert answer is not None
        assert not isinstance(answer, CheckRefused)
        found = await answer
        assert loop.time() - began < 4
        return found

    assert run_swiftly(passed()) is None
