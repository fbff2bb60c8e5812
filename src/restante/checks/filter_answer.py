"""The answers of content filters, and the verdicts that follow from them. Pure.

A filter says what it would do with a message. It can be wrong, and a bounce never ends. So its
refusal is never passed on with 5xx. By the policy of the recipient's domain, such mail is marked,
or deferred with 451.

A message can have recipients of several domains, and 451 after the content would defer all of them.
So it is deferred only if all of its domains defer. Otherwise it is held, and marked for the domains
that do not have `--hygiene off`.
"""

from enum import Enum
from typing import Final, NamedTuple

from restante.checks.check import ExaminedContent
from restante.checks.hygiene import counts_signs
from restante.checks.verdict import CheckPassed, CheckVerdict, refuse
from restante.tenancy.policy import HygienePolicy


class FilterAdvice(Enum):
    """The wish of a filter about a message."""

    TAKE = "take"
    PUT_OFF = "put off"  # such as greylisting
    REFUSE = "refuse"


class FilterAnswer(NamedTuple):
    """The answer of a filter about one message."""

    advice: FilterAdvice
    notes: tuple[str, ...] = ()  # printable ASCII
    score: float | None = None


class FilterFailed(Exception):  # noqa: N818
    """A filter gave no answer that can be used. The text is the cause."""

    def __init__(self, cause: str, *, is_of_message: bool = False) -> None:
        """`is_of_message`: the cause may be this message alone, so it says nothing of others."""
        super().__init__(cause)
        self.is_of_message = is_of_message


_REPLIES: Final = {
    FilterAdvice.PUT_OFF: "Not now: the content filter says to try again later",
    FilterAdvice.REFUSE: "Not now: the content filter does not want this message",
}


def examined_domains(facts: ExaminedContent) -> frozenset[int]:
    """Return the domains of the recipients whose mail is examined."""
    return frozenset(domain.id for domain in facts.domains if counts_signs(domain, facts.client))


def filter_verdict(facts: ExaminedContent, answer: FilterAnswer) -> CheckVerdict:
    """Return the verdict about a message, by the policies of its recipients' domains."""
    examined = examined_domains(facts)
    is_bad = answer.advice is not FilterAdvice.TAKE
    if is_bad and all(
        domain.id in examined and domain.policy.hygiene is HygienePolicy.DEFER
        for domain in facts.domains
    ):
        score = "" if answer.score is None else f"score {answer.score:g}: "
        reason = f"{score}{', '.join(answer.notes)}"
        return refuse(451, "4.7.1", _REPLIES[answer.advice], reason)
    return CheckPassed(answer.notes, answer.score, is_suspect=is_bad, domains=examined)
