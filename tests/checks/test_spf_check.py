"""SPF at arrival."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.checks.check import ClientFacts
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.spf_check import FAILURE_SECONDS, KEPT_SECONDS, NO_SPF, SpfCheck, spf_seconds
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused, CheckUndecided, CheckVerdict
from restante.mail.address import Mailbox
from restante.readiness.dns_facts import SpfFinding
from restante.tenancy.model import IpAddress
from restante.tenancy.policy import HygienePolicy
from tests.checks.signs import STRANGER, facts
from tests.delivery.swift_loop import run_swiftly

ON = HygieneSettings(spf=True)
SENDER = Mailbox("x", "B.example")


@dataclass
class SpfAnswers:
    """One result for all, at once or later."""

    result: str = "none"
    record: str = ""
    seconds: float = 0.0
    asked: list[tuple[IpAddress, str]] = field(default_factory=list)

    def find(self, address: IpAddress, about: str) -> "SpfFinding | asyncio.Future[SpfFinding]":
        self.asked.append((address, about))
        found = SpfFinding(str(address), self.result, record=self.record)
        if not self.seconds:
            return found
        loop = asyncio.get_running_loop()
        later = loop.create_future()
        loop.call_later(self.seconds, later.set_result, found)
        return later


def verdict(
    answers: SpfAnswers,
    policy: HygienePolicy = HygienePolicy.MARK,
    settings: HygieneSettings = ON,
    client: ClientFacts = STRANGER,
    path: Mailbox | None = SENDER,
) -> CheckVerdict:
    async def found() -> CheckVerdict:
        check = SpfCheck(answers, lambda: settings)
        asked = check.recipient(facts(policy, client=client, reverse_path=path))
        if isinstance(asked, CheckPassed | CheckRefused | CheckUndecided):
            return asked
        return await asked

    return run_swiftly(found())


@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["known", "asked"])
@pytest.mark.parametrize(
    ("result", "passed"),
    [
        ("pass", CheckPassed(("pass for b.example",))),
        ("softfail", CheckPassed(("softfail for b.example",))),
        ("neutral", PASSED),
        ("none", PASSED),
        ("temperror", PASSED),
        ("permerror", PASSED),
        (
            "fail",
            CheckPassed(("SPF of b.example does not allow the client",), is_suspect=True),
        ),
    ],
)
def test_only_fail_is_a_bad_sign(result: str, passed: CheckPassed, seconds: float) -> None:
    answers = SpfAnswers(result, seconds=seconds)
    assert verdict(answers) == passed
    assert answers.asked == [(STRANGER.address, "b.example")]


def test_it_is_deferred_where_the_domain_wants_that() -> None:
    refused = verdict(SpfAnswers("fail"), HygienePolicy.DEFER)
    assert isinstance(refused, CheckRefused)
    text = "450 4.7.23 Not now: SPF of b.example does not allow the client"
    assert str(refused.reply) == text


@pytest.mark.parametrize("record", ["v=spf1 exists:%{l}.b.example -all", "v=spf1 a:%{S}.x -all"])
def test_a_record_that_depends_on_the_local_part_is_not_judged(record: str) -> None:
    assert verdict(SpfAnswers("fail", record), HygienePolicy.DEFER) is PASSED


@pytest.mark.parametrize(
    ("hello", "asked"),
    [("mx.b.example", ["mx.b.example"]), ("[192.0.2.1]", []), ("nohost", []), ("a\x1bb", [])],
)
def test_the_null_reverse_path_is_judged_by_the_name_of_the_client(
    hello: str, asked: list[str]
) -> None:
    answers = SpfAnswers("pass")
    verdict(answers, client=STRANGER._replace(hello=hello), path=None)
    assert [domain for _, domain in answers.asked] == asked


@pytest.mark.parametrize(
    ("settings", "policy", "client", "path"),
    [
        (HygieneSettings(), HygienePolicy.DEFER, STRANGER, SENDER),
        (ON, HygienePolicy.OFF, STRANGER, SENDER),
        (ON, HygienePolicy.DEFER, STRANGER._replace(is_authenticated=True), SENDER),
        (ON, HygienePolicy.DEFER, STRANGER, Mailbox("root", "web1")),
        (ON, HygienePolicy.DEFER, STRANGER, Mailbox("x", "[192.0.2.1]")),
    ],
    ids=["not configured", "off", "with a login", "no public domain", "an address"],
)
def test_nothing_is_looked_up_without_need(
    settings: HygieneSettings, policy: HygienePolicy, client: ClientFacts, path: Mailbox
) -> None:
    answers = SpfAnswers("fail")
    assert verdict(answers, policy, settings, client, path) is PASSED
    assert answers.asked == []


@pytest.mark.parametrize("settings", [ON, HygieneSettings()], ids=["on", "off"])
def test_sessions_have_it_where_the_settings_do(settings: HygieneSettings) -> None:
    assert SpfCheck(SpfAnswers("fail"), lambda: settings).is_on == settings.spf


def test_a_failure_is_kept_for_a_shorter_time() -> None:
    assert spf_seconds(NO_SPF) == FAILURE_SECONDS
    assert spf_seconds(SpfFinding("", "fail")) == KEPT_SECONDS
