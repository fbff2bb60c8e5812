"""Whether the server does its work: one level, and a sentence for each problem. Pure.

A problem is critical if mail cannot be taken or delivered now. A warning is a coming problem, or a
decision for the operator. Waiting mail is no problem: holding it is the work.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from restante.mail.quantity import counted
from restante.phrases import EXPIRES, HAS_EXPIRED, LOW_DISK, NO_SERVER, RENEW, START_SERVER

CERTIFICATE_DAYS: Final = 14  # days ahead of its end that cause a warning
NOTICE_SECONDS: Final = 900.0  # a notice that waits longer has most likely failed
_DAY: Final = 86400.0


class HealthLevel(StrEnum):
    """The levels, named as monitoring systems name them."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """The facts to judge. Times are Unix time."""

    now: float
    is_running: bool
    store_failure: str = ""  # why no mail is taken or delivered
    store_absence: str = ""  # why it cannot be reached or takes no mail
    content_absence: str = ""  # why large content cannot be reached or kept
    is_room_short: bool = False
    certificate_expires_at: float | None = None
    clock_leap: float = 0.0  # seconds, while the wall clock is in doubt
    clock_trusted_from: float = 0.0
    log_failure: str = ""  # the place of the log that takes no lines, and the cause
    reload_failure: str = ""
    restart_for: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    file_error: str = ""
    is_file_changed: bool = False
    unread_certificates: tuple[str, ...] = ()
    certificate_error: str = ""
    config_warnings: tuple[str, ...] = ()
    damaged_messages: int = 0
    uncertain_messages: int = 0
    notices_waiting: int = 0
    notices_since: float | None = None  # when the oldest of them was made


@dataclass(frozen=True, slots=True)
class HealthProblem:
    """One problem: its level, and its description with the remedy."""

    level: HealthLevel
    text: str


@dataclass(frozen=True, slots=True)
class Health:
    """The judgment: the worst level, and the problems, the worst first."""

    level: HealthLevel
    problems: tuple[HealthProblem, ...] = ()


def judge(facts: HealthFacts) -> Health:
    """Return the health that follows from the facts."""
    found = [*_critical(facts), *_warnings(facts)]
    return Health(found[0].level if found else HealthLevel.OK, tuple(found))


def _critical(facts: HealthFacts) -> list[HealthProblem]:
    texts = []
    if not facts.is_running:
        texts.append(f"{NO_SERVER}, so no mail is taken or handed over; {START_SERVER}")
    if facts.store_failure:
        texts.append(f"no mail is taken or handed over, the store failed: {facts.store_failure}")
    if facts.store_absence:
        texts.append(
            f"no mail is taken because of the store: {facts.store_absence}; "
            "it is tried again by itself"
        )
    if facts.content_absence:
        texts.append(
            "mail of 1 MiB or more is neither taken nor handed over, because of the object store:"
            f" {facts.content_absence}; it is tried again by itself"
        )
    if facts.is_room_short:
        texts.append(f"no mail is taken: {LOW_DISK}; make room")
    if facts.certificate_expires_at is not None and facts.certificate_expires_at <= facts.now:
        texts.append(f"a certificate {HAS_EXPIRED}; {RENEW}")
    return [HealthProblem(HealthLevel.CRITICAL, text) for text in texts]


def _warnings(facts: HealthFacts) -> list[HealthProblem]:
    texts = [
        *_of_clock(facts),
        *_of_log(facts),
        *_of_configuration(facts),
        *facts.config_warnings,
        *_of_mail(facts),
    ]
    return [HealthProblem(HealthLevel.WARNING, text) for text in texts]


def _of_clock(facts: HealthFacts) -> list[str]:
    """Return the warning about a clock that leapt."""
    if not facts.clock_leap:
        return []
    days = counted(round(abs(facts.clock_leap) / _DAY), "day")
    where = "ahead" if facts.clock_leap > 0 else "back"
    until = datetime.fromtimestamp(facts.clock_trusted_from, UTC).strftime("%Y-%m-%d %H:%M UTC")
    leapt = f"the clock leapt {days} {where} from the time that was expected"
    return [f"{leapt}; mail does not expire by it before {until}: set the clock if it is wrong"]


def _of_log(facts: HealthFacts) -> list[str]:
    """Return the warning about a log that goes to another place."""
    if not facts.log_failure:
        return []
    where = f"the log goes to standard error instead of {facts.log_failure}"
    return [f"{where}; it is tried again by itself"]


def _of_configuration(facts: HealthFacts) -> list[str]:
    """Return the warnings about certificates, and about the file and the settings that run."""
    texts = []
    if facts.certificate_expires_at is not None:
        days = (facts.certificate_expires_at - facts.now) / _DAY
        if 0 < days <= CERTIFICATE_DAYS:
            texts.append(f"a certificate {EXPIRES} {counted(int(days), 'day')}; {RENEW}")
    if facts.reload_failure:
        why = "; ".join(facts.reload_failure.splitlines())
        texts.append(f"the last reload failed and changed nothing: {why}")
    elif facts.file_error:
        texts.append(
            "the configuration file has a mistake, and the server could not start again:"
            f" {facts.file_error}"
        )
    if facts.unread:
        texts.append(
            f"the configuration file was changed and not read again: {', '.join(facts.unread)};"
            " reload the server"
        )
    if facts.is_file_changed:
        texts.append(
            "the configuration file was changed, and the server may not read it: restart the"
            " server, or let its user read the file and reload"
        )
    if facts.unread_certificates:
        texts.append(_waiting_certificates(facts))
    if facts.restart_for:
        texts.append(f"a restart is needed for {', '.join(facts.restart_for)}")
    return texts


def _of_mail(facts: HealthFacts) -> list[str]:
    """Return the warnings about held mail and about notices that wait."""
    texts = []
    if facts.damaged_messages:
        damaged = counted(facts.damaged_messages, "message is", "messages are")
        texts.append(f"{damaged} damaged: restante queue list --status damaged")
    if facts.uncertain_messages:
        uncertain = counted(facts.uncertain_messages, "message is", "messages are")
        texts.append(
            f"{uncertain} uncertain, the destination may have them:"
            " restante queue list --status uncertain"
        )
    if facts.notices_since is not None and facts.now - facts.notices_since > NOTICE_SECONDS:
        waiting = counted(facts.notices_waiting, "notice waits", "notices wait")
        hours, minutes = divmod(int(facts.now - facts.notices_since) // 60, 60)
        age = counted(hours, "hour") if hours else counted(minutes, "minute")
        texts.append(f"{waiting} to be sent, the oldest for {age}: restante notice show-waiting")
    return texts


def _waiting_certificates(facts: HealthFacts) -> str:
    changed = f"certificate files were changed: {', '.join(facts.unread_certificates)}"
    if facts.certificate_error:
        return f"{changed}; a reload or a start would refuse them: {facts.certificate_error}"
    return f"{changed}; reload the server, which shows the earlier ones until then"
