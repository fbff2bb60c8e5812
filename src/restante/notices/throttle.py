"""How often one thing is reported. Pure.

    no recent notice                        sent at once; further ones are held back for `pause`
    a recent notice                         held back, and counted
    the pause is over, nothing held back    the topic is forgotten
    the pause is over, something held back  the last is sent, with the count of the others; a new
                                            pause begins

`QuietTopic` is the state of one topic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from restante.tenancy.notice import NoticeFacts, NoticeKind, QuietTopic

DAY: Final = 86400.0
_TOLD_ONCE: Final[Mapping[str, float]] = {
    NoticeKind.CERTIFICATE_EXPIRING: 30 * DAY,
    NoticeKind.LOGIN_EXPIRING: 30 * DAY,
}  # a step is reported once, whatever the number of starts

_ROUNDING: Final = 1.0  # seconds; stored times are not exact


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice to send now."""

    facts: NoticeFacts
    held_back: int  # the number of similar events that were not sent


def hear(
    quiet: QuietTopic | None, facts: NoticeFacts, count: int, now: float, pause: float
) -> tuple[DueNotice | None, QuietTopic]:
    """Decide on an event that came `count` times since the last call; the last one is given."""
    if quiet is None:
        return DueNotice(facts, count - 1), _from_now(facts, now, pause)
    if facts.kind in _TOLD_ONCE:
        return None, quiet
    return None, replace(quiet, held_back=quiet.held_back + count, last=facts)


def is_over(quiet: QuietTopic, now: float, pause: float) -> bool:
    """Return whether a pause is over. It is if it ends too late: the clock was set back."""
    return not 0 < quiet.until - now <= _while(quiet.topic[1], pause) + _ROUNDING


def let_go(
    quiet: QuietTopic, now: float, pause: float
) -> tuple[DueNotice | None, QuietTopic | None]:
    """Decide on a topic with its pause over; no Quiet if it must be forgotten."""
    if quiet.last is None:
        return None, None
    return DueNotice(quiet.last, quiet.held_back - 1), _from_now(quiet.last, now, pause)


def _from_now(facts: NoticeFacts, now: float, pause: float) -> QuietTopic:
    return QuietTopic(facts.topic, now + _while(facts.kind, pause))


def _while(kind: str, pause: float) -> float:
    return _TOLD_ONCE.get(kind, pause)
