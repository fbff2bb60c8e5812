"""Clients on DNS block lists."""

import asyncio

import pytest

from restante.checks.check import ClientFacts
from restante.checks.dns_list_check import DnsListCheck
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused, CheckUndecided, CheckVerdict
from restante.network.dns_lists import DnsListAnswer
from restante.tenancy.policy import HygienePolicy
from tests.checks.signs import STRANGER, BlockLists, facts, listed_at
from tests.delivery.swift_loop import run_swiftly

SETTINGS = HygieneSettings(dnsbl=("one.example*2", "two.example"), dnsbl_threshold=2)


def verdict(
    answer: DnsListAnswer,
    policy: HygienePolicy = HygienePolicy.MARK,
    seconds: float = 0.0,
    settings: HygieneSettings = SETTINGS,
) -> CheckVerdict:
    async def found() -> CheckVerdict:
        check = DnsListCheck(BlockLists(answer, seconds), lambda: settings)
        asked = check.recipient(facts(policy))
        return asked if isinstance(asked, CheckPassed | CheckRefused) else await asked  # type: ignore[misc]

    return run_swiftly(found())


@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["known", "asked"])
def test_a_client_on_lists_of_enough_weight_is_marked_with_their_names(seconds: float) -> None:
    assert verdict(DnsListAnswer(), seconds=seconds) is PASSED
    assert verdict(listed_at("two.example"), seconds=seconds) == CheckPassed(
        ("the client is listed at two.example (127.0.0.2)",), 1
    )
    marked = verdict(listed_at("one.example", "two.example"), seconds=seconds)
    assert isinstance(marked, CheckPassed)
    assert (marked.score, marked.is_suspect, len(marked.notes)) == (3, True, 2)


def test_it_is_put_off_where_the_domain_wants_that() -> None:
    refused = verdict(listed_at("one.example"), HygienePolicy.DEFER)
    assert isinstance(refused, CheckRefused)
    text = "450 4.7.1 Not now: the client is listed at one.example (127.0.0.2)"
    assert str(refused.reply) == text
    assert verdict(listed_at("two.example"), HygienePolicy.DEFER) == CheckPassed(
        ("the client is listed at two.example (127.0.0.2)",), 1
    )


def test_a_list_that_is_no_longer_configured_does_not_count() -> None:
    assert verdict(listed_at("gone.example"), HygienePolicy.DEFER) is PASSED


@pytest.mark.parametrize(
    ("settings", "policy", "client"),
    [
        (HygieneSettings(), HygienePolicy.DEFER, STRANGER),
        (SETTINGS, HygienePolicy.OFF, STRANGER),
        (SETTINGS, HygienePolicy.DEFER, STRANGER._replace(is_authenticated=True)),
    ],
    ids=["no lists", "off", "with a login"],
)
def test_nothing_is_looked_up_without_need(
    settings: HygieneSettings, policy: HygienePolicy, client: ClientFacts
) -> None:
    lists = BlockLists(listed_at("one.example"))
    check = DnsListCheck(lists, lambda: settings)
    assert check.recipient(facts(policy, client=client)) is PASSED
    assert lists.asked == []


@pytest.mark.parametrize("settings", [SETTINGS, HygieneSettings()], ids=["lists", "no lists"])
def test_sessions_have_it_where_the_settings_name_lists(settings: HygieneSettings) -> None:
    check = DnsListCheck(BlockLists(listed_at("one.example")), lambda: settings)
    assert check.is_on == bool(settings.dnsbl)


def test_a_client_that_leaves_takes_no_answer_from_the_others() -> None:
    async def scenario() -> None:
        lists = BlockLists(listed_at("one.example"), seconds=1.0)
        waiting = DnsListCheck(lists, lambda: SETTINGS).recipient(facts())
        assert not isinstance(waiting, CheckPassed | CheckRefused | CheckUndecided)
        task = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await lists.pending[0] == lists.answer

    run_swiftly(scenario())
