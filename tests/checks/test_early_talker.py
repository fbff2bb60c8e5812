"""Clients that speak before the greeting."""

from restante.checks.early_talker import EarlyTalkerCheck
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused
from restante.tenancy.policy import HygienePolicy
from tests.checks.signs import STRANGER, facts

EARLY = STRANGER._replace(spoke_early=True)


def test_an_early_talker_is_marked_or_put_off() -> None:
    check = EarlyTalkerCheck()
    assert check.recipient(facts()) is PASSED
    marked = check.recipient(facts(client=EARLY))
    assert isinstance(marked, CheckPassed)
    assert marked.is_suspect
    refused = check.recipient(facts(HygienePolicy.DEFER, client=EARLY))
    assert isinstance(refused, CheckRefused)
    assert str(refused.reply) == "450 4.7.0 Not now: the client spoke before the greeting"
