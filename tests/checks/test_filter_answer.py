"""The verdicts that follow from a filter's answer, by the policies of the domains."""

from ipaddress import ip_address

import pytest

from restante.checks.check import ClientFacts
from restante.checks.filter_answer import (
    FilterAdvice,
    FilterAnswer,
    examined_domains,
    filter_verdict,
)
from restante.checks.verdict import CheckPassed, CheckRefused
from restante.tenancy.policy import HygienePolicy
from tests.checks.filter_facts import content_facts

OFF, MARK, DEFER = HygienePolicy.OFF, HygienePolicy.MARK, HygienePolicy.DEFER
TAKE, PUT_OFF, REFUSE = FilterAdvice.TAKE, FilterAdvice.PUT_OFF, FilterAdvice.REFUSE


@pytest.mark.parametrize("policy", [MARK, DEFER])
def test_mail_that_the_filter_takes_is_held_with_its_findings(policy: HygienePolicy) -> None:
    verdict = filter_verdict(content_facts(policy), FilterAnswer(TAKE, ("no action",), 1.5))
    assert verdict == CheckPassed(("no action",), 1.5, domains=frozenset({1}))


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (PUT_OFF, "Not now: the content filter says to try again later"),
        (REFUSE, "Not now: the content filter does not want this message"),
    ],
)
def test_mail_that_it_does_not_want_is_deferred_where_all_domains_defer(
    advice: FilterAdvice, text: str
) -> None:
    verdict = filter_verdict(content_facts(DEFER, DEFER), FilterAnswer(advice, ("a", "b"), 15.5))
    assert isinstance(verdict, CheckRefused)
    assert str(verdict.reply) == f"451 4.7.1 {text}"
    assert verdict.reason == "score 15.5: a, b"


@pytest.mark.parametrize("advice", [PUT_OFF, REFUSE])
@pytest.mark.parametrize(
    ("policies", "marked"),
    [
        ((MARK,), {1}),
        ((MARK, DEFER), {1, 2}),
        ((DEFER, OFF), {1}),
        ((OFF, MARK, DEFER), {2, 3}),
    ],
)
def test_otherwise_it_is_marked_for_the_domains_that_count_signs(
    advice: FilterAdvice, policies: tuple[HygienePolicy, ...], marked: set[int]
) -> None:
    verdict = filter_verdict(content_facts(*policies), FilterAnswer(advice, ("a",)))
    assert verdict == CheckPassed(("a",), is_suspect=True, domains=frozenset(marked))


@pytest.mark.parametrize(
    "client",
    [
        ClientFacts(ip_address("192.0.2.1"), "c", "mx2", is_authenticated=True),
        ClientFacts(ip_address("198.51.100.7"), "c", "mx2"),  # an authorized host
    ],
)
def test_nothing_is_examined_of_a_client_that_is_known(client: ClientFacts) -> None:
    assert examined_domains(content_facts(MARK, DEFER, client=client)) == frozenset()
