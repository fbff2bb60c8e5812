"""Whether the server does its work, in one word and a sentence for each thing that is wrong. Pure.

Critical is what keeps mail from being taken or handed over now. A warning is what will, or what an
operator has to decide about. Mail that merely waits is no trouble: holding it is the work.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from restante.mail.quantity import counted
from restante.phrases import EXPIRES, HAS_EXPIRED, LOW_DISK, NO_SERVER, RENEW, START_SERVER

CERTIFICATE_DAYS: Final = 14  # ahead of its end from which it is a warning
_DAY: Final = 86400.0


class Level(StrEnum):
    """How things stand, as monitoring systems name it."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What is judged. Times are Unix time."""

    now: float
    is_running: bool
    store_failure: str = ""  # why nothing is taken or handed over
    is_room_short: bool = False
    certificate_expires_at: float | None = None
    reload_failure: str = ""
    restart_for: tuple[str, ...] = ()
    damaged_messages: int = 0


@dataclass(frozen=True, slots=True)
class HealthProblem:
    """One thing that is wrong: how bad it is, and what it is, with the remedy."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Health:
    """The judgment: the worst level, and the problems, the worst first."""

    level: Level
    problems: tuple[HealthProblem, ...] = ()


def judge(facts: HealthFacts) -> Health:
    """Return what the facts come to."""
    found = [*_critical(facts), *_warnings(facts)]
    return Health(found[0].level if found else Level.OK, tuple(found))


def _critical(facts: HealthFacts) -> list[HealthProblem]:
    texts = []
    if not facts.is_running:
        texts.append(f"{NO_SERVER}, so no mail is taken or handed over; {START_SERVER}")
    if facts.store_failure:
        texts.append(f"no mail is taken or handed over, the store failed: {facts.store_failure}")
    if facts.is_room_short:
        texts.append(f"no mail is taken: {LOW_DISK}; make room")
    if facts.certificate_expires_at is not None and facts.certificate_expires_at <= facts.now:
        texts.append(f"a certificate {HAS_EXPIRED}; {RENEW}")
    return [HealthProblem(Level.CRITICAL, text) for text in texts]


def _warnings(facts: HealthFacts) -> list[HealthProblem]:
    texts = []
    if facts.certificate_expires_at is not None:
        days = (facts.certificate_expires_at - facts.now) / _DAY
        if 0 < days <= CERTIFICATE_DAYS:
            texts.append(f"a certificate {EXPIRES} {counted(int(days), 'day')}; {RENEW}")
    if facts.reload_failure:
        why = "; ".join(facts.reload_failure.splitlines())
        texts.append(f"the last reload failed and changed nothing: {why}")
    if facts.restart_for:
        texts.append(f"a restart is needed for {', '.join(facts.restart_for)}")
    if facts.damaged_messages:
        damaged = counted(facts.damaged_messages, "message is", "messages are")
        texts.append(f"{damaged} damaged: restante queue list --status refused")
    return [HealthProblem(Level.WARNING, text) for text in texts]
