"""The verdict about mail with a bad sign, by the policy of the domain."""

from ipaddress import ip_address

import pytest

from restante.checks.check import ClientFacts
from restante.checks.hygiene import bad_sign, is_examined
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused
from restante.tenancy.policy import HygienePolicy
from tests.checks.signs import STRANGER, facts


@pytest.mark.parametrize(
    ("policy", "reply"),
    [
        (HygienePolicy.OFF, None),
        (HygienePolicy.MARK, None),
        (HygienePolicy.DEFER, "450 4.7.1 Not now: it is bad"),
    ],
)
def test_the_policy_decides_about_a_bad_sign(policy: HygienePolicy, reply: str | None) -> None:
    verdict = bad_sign(facts(policy), ("it is bad", "it is odd"), "4.7.1", 3)
    if isinstance(verdict, CheckRefused):
        assert str(verdict.reply) == reply
        assert verdict.reason == "it is bad, it is odd"
        return
    assert reply is None
    if policy is HygienePolicy.OFF:
        assert verdict is PASSED
    else:
        assert verdict == CheckPassed(("it is bad", "it is odd"), 3, is_suspect=True)


@pytest.mark.parametrize(
    ("client", "is_so"),
    [
        (STRANGER, True),
        (STRANGER._replace(address=ip_address("198.51.100.7")), False),
        (STRANGER._replace(is_authenticated=True), False),
    ],
    ids=["a stranger", "an authorized host", "with a login"],
)
def test_nothing_counts_against_those_who_are_known(client: ClientFacts, is_so: bool) -> None:
    assert is_examined(facts(client=client)) is is_so
    verdict = bad_sign(facts(client=client), ("x",), "4.7.1")
    assert (verdict is PASSED) is not is_so
