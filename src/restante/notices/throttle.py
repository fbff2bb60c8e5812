"""How much is told of one thing: at once, then nothing for a while, then the last of what was held back. Pure.

nothing was told of late              told at once, and held back for `pause` from now
something was                         held back, and counted
the while is over, nothing held back  the topic is forgotten
… and something was                   the last of it is told, with the count of the others; held back for another while
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from restante.tenancy.notice import NoticeFacts, NoticeKind, Quiet

DAY: Final = 86400.0
_TOLD_ONCE: Final[Mapping[str, float]] = {
    NoticeKind.CERTIFICATE_EXPIRING: 30 * DAY
}  # a step is told once, however often we are started

_ROUNDING: Final = 1.0  # seconds; a time is no exact number


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told now."""

    news: NoticeFacts
    held_back: int  # so much of the same was not told


def hear(
    quiet: Quiet | None, news: NoticeFacts, count: int, now: float, pause: float
) -> tuple[Telling | None, Quiet]:
    """Decide on news that came `count` times since it was last asked; the last is at hand."""
    if quiet is None:
        return Telling(news, count - 1), _from_now(news, now, pause)
    if news.kind in _TOLD_ONCE:
        return None, quiet
    return None, replace(quiet, held_back=quiet.held_back + count, last=news)


def is_over(quiet: Quiet, now: float, pause: float) -> bool:
    """Tell whether a while is over. One that ends later than if it began now is: the clock was set back since."""
    return not 0 < quiet.until - now <= _while(quiet.topic[1], pause) + _ROUNDING


def let_go(quiet: Quiet, now: float, pause: float) -> tuple[Telling | None, Quiet | None]:
    """Decide on a topic whose while is over; no Quiet where it is to be forgotten."""
    if quiet.last is None:
        return None, None
    return Telling(quiet.last, quiet.held_back - 1), _from_now(quiet.last, now, pause)


def _from_now(news: NoticeFacts, now: float, pause: float) -> Quiet:
    return Quiet(news.topic, now + _while(news.kind, pause))


def _while(kind: str, pause: float) -> float:
    return _TOLD_ONCE.get(kind, pause)
