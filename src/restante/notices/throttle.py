"""How much is told of one thing: at once, then nothing for a while, then the last of what was held back. Pure.

nothing was told of late              told at once, and held back for `pause` from now
something was                         held back, and counted
the while is over, nothing held back  the topic is forgotten
… and something was                   the last of it is told, with the count of the others; held back for another while
"""

from dataclasses import dataclass, replace
from typing import Final

from restante.tenancy.notice import News, NoticeKind, Quiet

DAY: Final = 86400.0
_TOLD_ONCE: Final = {NoticeKind.CERTIFICATE_EXPIRING: 30 * DAY}  # a step is told once, however often we are started


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told now."""

    news: News
    held_back: int  # so much of the same was not told


def hear(quiet: Quiet | None, news: News, count: int, now: float, pause: float) -> tuple[Telling | None, Quiet]:
    """Decide on news that came `count` times since it was last asked; the last is at hand."""
    if quiet is None:
        return Telling(news, count - 1), _from_now(news, now, pause)
    if news.kind in _TOLD_ONCE:
        return None, quiet
    return None, replace(quiet, held_back=quiet.held_back + count, last=news)


def let_go(quiet: Quiet, now: float, pause: float) -> tuple[Telling | None, Quiet | None]:
    """Decide on a topic whose while is over; no Quiet where it is to be forgotten."""
    if quiet.last is None:
        return None, None
    return Telling(quiet.last, quiet.held_back - 1), _from_now(quiet.last, now, pause)


def _from_now(news: News, now: float, pause: float) -> Quiet:
    return Quiet(news.topic, now + _TOLD_ONCE.get(news.kind, pause))
