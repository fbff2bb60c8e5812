"""Clients that speak before the greeting (RFC 5321 §4.3.1): programs that only send spam do."""

from restante.checks.check import ExaminedRecipient, SimpleCheck
from restante.checks.hygiene import bad_sign
from restante.checks.verdict import PASSED, CheckVerdict

_SIGN = "the client spoke before the greeting"


class EarlyTalkerCheck(SimpleCheck):
    """Judges by the beginning of the session. It needs no look-up."""

    name = "early-talker"

    def recipient(self, facts: ExaminedRecipient) -> CheckVerdict:
        """Return the verdict about mail of an early talker."""
        return bad_sign(facts, (_SIGN,), "4.7.0") if facts.client.spoke_early else PASSED
