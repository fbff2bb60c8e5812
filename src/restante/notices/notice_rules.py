"""Which events cause notices, for which accounts, and with which text.

Every event with a notice has its line in the log and its metric (telemetry/metrics.py). So log,
metrics and notices cannot disagree, and the code that publishes an event knows nothing of notices.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from restante.mail.quantity import counted
from restante.notices.notice_language import clean
from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.queue.drain_word import DrainEnd
from restante.telemetry.events import (
    AuthenticationBurst,
    CertificateExpiring,
    ChangeEnded,
    ChangeScheduled,
    ClockDoubted,
    DestinationRefuses,
    DrainFinished,
    Event,
    LoginExpiring,
    MailAfterQuiet,
    MailExpired,
    MessageDamaged,
    PrimaryAway,
    PrimaryBack,
    QuotaReached,
    RetentionAhead,
    RoomBack,
    RoomShort,
    ServerFailing,
    StoreAway,
    StoreBack,
)
from restante.tenancy.notice import NoticeFacts, NoticeKind
from restante.tenancy.policy import DAY

_E = TypeVar("_E", bound=Event)
NoticeRule = Callable[[Any, float], Iterator[NoticeFacts]]  # the event, and when it was published


def notice_facts_in(event: Event, at: float) -> Iterator[NoticeFacts]:
    """Yield the notices of an event."""
    rule = RULES.get(type(event))
    if rule is not None:
        yield from rule(event, at)


def _rule(
    event: type[_E], rule: Callable[[_E, float], Iterator[NoticeFacts]]
) -> tuple[type[Event], NoticeRule]:
    """Pair an event and its rule; a rule for another event is a type error."""
    return event, rule


def _make(
    kind: NoticeKind, account: str, at: float, about: str, text: str, **shown: str | int
) -> NoticeFacts:
    """Make a notice. `shown` are the fields of the event that it shows."""
    details = {name: _plain(value) for name, value in shown.items() if value != ""}
    return NoticeFacts(kind, account, clean(about), clean(text), at, details)


def _plain(value: str | int) -> str | int:
    return value if isinstance(value, int) else clean(value)


_ENDS: Final = {
    "delete": "deleted",
    "bounce": "bounced",
    "keep": "kept",
}  # by the policy's word for it


def _mail_after_quiet(event: MailAfterQuiet, at: float) -> Iterator[NoticeFacts]:
    domain = event.domain
    text = f"Mail came for {domain}, which had none for an hour: its own server may be away."
    yield _make(
        NoticeKind.MAIL_AFTER_QUIET,
        event.account,
        at,
        domain,
        text,
        domain=event.domain,
        messages=event.messages,
    )


def _domains_of(event: PrimaryAway | PrimaryBack) -> str:
    """Name the domains of a destination, and the number of those that the event leaves out."""
    left_out = event.domains_total - len(event.domains)
    return ",".join(event.domains) + (f" and {left_out} more" if left_out else "")


def _primary_away(event: PrimaryAway, at: float) -> Iterator[NoticeFacts]:
    where, domains = event.destination, _domains_of(event)
    text = f"{where} does not answer; mail is held for {domains}. {event.reason}"
    yield _make(
        NoticeKind.PRIMARY_AWAY,
        event.account,
        at,
        where,
        text,
        destination=event.destination,
        domains=domains,
        reason=event.reason,
    )


def _primary_back(event: PrimaryBack, at: float) -> Iterator[NoticeFacts]:
    where, domains = event.destination, _domains_of(event)
    text = f"{where}, the destination of {domains}, answers again."
    yield _make(
        NoticeKind.PRIMARY_BACK,
        event.account,
        at,
        where,
        text,
        destination=event.destination,
        domains=domains,
    )


def _drain_finished(event: DrainFinished, at: float) -> Iterator[NoticeFacts]:
    """A drain that was stopped causes no notice; refusals do."""
    domain, held = event.domain, event.held
    if event.end == DrainEnd.FINISHED and event.delivered:
        text = f"The mail held for {domain} was delivered: {counted(event.delivered, 'message')}."
        yield _of_drain(NoticeKind.DRAIN_FINISHED, event, at, text, held=held, reason=event.reason)
    elif event.end == DrainEnd.GIVEN_UP:
        left = counted(held, "message stays", "messages stay")
        text = f"The drain of {domain} was given up; {left} held. {event.reason}"
        yield _of_drain(NoticeKind.DRAIN_GIVEN_UP, event, at, text, held=held, reason=event.reason)
    if event.refused:
        refused = counted(event.refused, "message")
        text = (
            f"The destination of {domain} refused {refused} permanently: "
            "kept or bounced, as its policy says."
        )
        yield _of_drain(NoticeKind.DELIVERY_REFUSED, event, at, text)


def _of_drain(
    kind: NoticeKind, event: DrainFinished, at: float, text: str, **more: str | int
) -> NoticeFacts:
    return _make(
        kind,
        event.account,
        at,
        event.domain,
        text,
        domain=event.domain,
        destination=event.destination,
        delivered=event.delivered,
        refused=event.refused,
        **more,
    )


def _destination_refuses(event: DestinationRefuses, at: float) -> Iterator[NoticeFacts]:
    domain = event.domain
    text = (
        f"{event.destination} refuses the mail of {domain}, message after message; the drain was"
        " stopped."
    )
    yield _make(
        NoticeKind.DESTINATION_REFUSES,
        event.account,
        at,
        domain,
        text,
        domain=domain,
        destination=event.destination,
        refused=event.refused,
        held=event.held,
        reason=event.reason,
    )


def _quota_reached(event: QuotaReached, at: float) -> Iterator[NoticeFacts]:
    thing = f"account {event.account}" if event.domain is None else f"domain {event.domain}"
    percent = event.percent
    text = (
        f"The quota of {thing} is full to {percent} %: {counted(event.messages, 'message')},"
        f" {counted(event.octets, 'octet')}."
    )
    yield _make(
        NoticeKind.QUOTA_REACHED,
        event.account,
        at,
        f"{thing}, {percent} %",
        text,
        **({} if event.domain is None else {"domain": event.domain}),
        percent=event.percent,
        messages=event.messages,
        octets=event.octets,
    )


def _retention_ahead(event: RetentionAhead, at: float) -> Iterator[NoticeFacts]:
    domain, days = event.domain, event.days
    end = _ENDS[event.at_end]
    text = (
        f"The oldest mail of {domain} ({event.status}) is at the end of its retention in"
        f" {counted(days, 'day')}: then it is {end}."
    )
    about = f"{domain}, {event.status}, {counted(days, 'day')}"
    yield _make(
        NoticeKind.RETENTION_AHEAD,
        event.account,
        at,
        about,
        text,
        domain=event.domain,
        status=event.status,
        days=event.days,
        at_end=event.at_end,
    )


def _mail_expired(event: MailExpired, at: float) -> Iterator[NoticeFacts]:
    domain, count = event.domain, event.messages
    text = (
        f"The retention of {counted(count, 'message')} of {domain} ({event.status}) was over:"
        f" {_ENDS[event.at_end]}."
    )
    about = f"{domain}, {event.status}"
    yield _make(
        NoticeKind.MAIL_EXPIRED,
        event.account,
        at,
        about,
        text,
        domain=event.domain,
        status=event.status,
        messages=event.messages,
        at_end=event.at_end,
    )


def _authentication_burst(event: AuthenticationBurst, at: float) -> Iterator[NoticeFacts]:
    thing = f"account {event.account}" if event.login is None else f"login {event.login}"
    text = (
        f"{event.failures} attempts in a row to authenticate failed for {thing}, in {event.minutes}"
        " minutes at most."
    )
    yield _make(
        NoticeKind.AUTHENTICATION_BURST,
        event.account,
        at,
        thing,
        text,
        **({} if event.login is None else {"login": event.login}),
        failures=event.failures,
        minutes=event.minutes,
        peer=event.peer,
    )


def _certificate_expiring(event: CertificateExpiring, at: float) -> Iterator[NoticeFacts]:
    days, ends = event.days, event.ends
    text = (
        f"A certificate of the server {EXPIRES} {counted(days, 'day')}, at {ends}."
        if days
        else f"A certificate of the server {HAS_EXPIRED}, at {ends}."
    )
    yield _make(
        NoticeKind.CERTIFICATE_EXPIRING,
        "",
        at,
        f"{ends}, {counted(days, 'day')}",
        text,
        days=event.days,
        ends=event.ends,
    )


def _login_expiring(event: LoginExpiring, at: float) -> Iterator[NoticeFacts]:
    login, days, ends = event.login, event.days, event.ends
    text = (
        f"The login {login} {EXPIRES} {counted(days, 'day')}, at {ends}."
        if days
        else f"The login {login} {HAS_EXPIRED}, at {ends}."
    )
    about = f"{login}, {ends}, {counted(days, 'day')}"
    yield _make(
        NoticeKind.LOGIN_EXPIRING,
        event.account,
        at,
        about,
        text,
        login=event.login,
        days=event.days,
        ends=event.ends,
    )


def _change_scheduled(event: ChangeScheduled, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"{event.actor} asked for a change of {event.domain}: {', '.join(event.changes)}. It is"
        f" applied at {event.ends}, unless somebody cancels it as change {event.number}."
    )
    yield _make(
        NoticeKind.CHANGE_SCHEDULED,
        event.account,
        at,
        f"{event.domain}, change {event.number}",
        text,
        domain=event.domain,
        number=event.number,
        actor=event.actor,
        acted_from=event.acted_from,
        ends=event.ends,
        changes=", ".join(event.changes),
    )


def _change_ended(event: ChangeEnded, at: float) -> Iterator[NoticeFacts]:
    why = f" {event.reason}" if event.reason else ""
    text = (
        f"A change of {event.domain} was {event.end}: {', '.join(event.changes)}."
        f" It was asked for by {event.actor}.{why}"
    )
    yield _make(
        NoticeKind.CHANGE_ENDED,
        event.account,
        at,
        f"{event.domain}, change {event.number}",
        text,
        domain=event.domain,
        number=event.number,
        actor=event.actor,
        end=event.end,
        reason=event.reason,
        changes=", ".join(event.changes),
    )


def _message_damaged(event: MessageDamaged, at: float) -> Iterator[NoticeFacts]:
    """Return one for the account of the mail, and one for the operator, who owns the disk."""
    message, domain = event.message, event.domain
    text = (
        f"Message {message}, held for {domain or 'a removed domain'}, is damaged: {event.reason}."
    )
    yield _make(
        NoticeKind.MESSAGE_DAMAGED,
        event.account,
        at,
        domain,
        text,
        domain=event.domain,
        message=event.message,
    )
    yield _make(
        NoticeKind.DAMAGE_FOUND,
        "",
        at,
        "held content",
        text,
        domain=event.domain,
        message=event.message,
    )


def _server_failing(event: ServerFailing, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"The server takes no more mail and leaves: {event.reason}. If it does not come back, see"
        " its log."
    )
    yield _make(NoticeKind.SERVER_FAILING, "", at, "store", text, reason=event.reason)


def _room_short(event: RoomShort, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"{event.free} octets are free on the store's disk, less than {event.disk_reserve}: mail is"
        " deferred."
    )
    yield _make(
        NoticeKind.ROOM_SHORT,
        "",
        at,
        "disk",
        text,
        free=event.free,
        disk_reserve=event.disk_reserve,
    )


def _room_back(event: RoomBack, at: float) -> Iterator[NoticeFacts]:
    text = f"{event.free} octets are free on the store's disk: mail is taken again."
    yield _make(
        NoticeKind.ROOM_BACK, "", at, "disk", text, free=event.free, disk_reserve=event.disk_reserve
    )


def _store_away(event: StoreAway, at: float) -> Iterator[NoticeFacts]:
    text = f"The store takes no mail: {event.reason}. Mail is deferred, and drains may wait."
    yield _make(NoticeKind.STORE_AWAY, "", at, "store", text, reason=event.reason)


def _store_back(event: StoreBack, at: float) -> Iterator[NoticeFacts]:
    text = f"The store can be used again, after {event.seconds:.0f} s: mail is taken again."
    yield _make(NoticeKind.STORE_BACK, "", at, "store", text, seconds=round(event.seconds))


def _clock_doubted(event: ClockDoubted, at: float) -> Iterator[NoticeFacts]:
    where = "ahead" if event.seconds > 0 else "back"
    days = counted(round(abs(event.seconds) / DAY), "day")
    text = (
        f"The server's clock leapt {days} {where} from the time that was expected. Mail does not"
        f" expire by it before {event.ends}. Set the clock if it is wrong."
    )
    yield _make(
        NoticeKind.CLOCK_DOUBTED,
        "",
        at,
        "clock",
        text,
        seconds=round(event.seconds),
        ends=event.ends,
    )


RULES: Final[Mapping[type[Event], NoticeRule]] = dict(
    (
        _rule(MailAfterQuiet, _mail_after_quiet),
        _rule(PrimaryAway, _primary_away),
        _rule(PrimaryBack, _primary_back),
        _rule(DrainFinished, _drain_finished),
        _rule(DestinationRefuses, _destination_refuses),
        _rule(QuotaReached, _quota_reached),
        _rule(RetentionAhead, _retention_ahead),
        _rule(MailExpired, _mail_expired),
        _rule(AuthenticationBurst, _authentication_burst),
        _rule(LoginExpiring, _login_expiring),
        _rule(ChangeScheduled, _change_scheduled),
        _rule(ChangeEnded, _change_ended),
        _rule(CertificateExpiring, _certificate_expiring),
        _rule(MessageDamaged, _message_damaged),
        _rule(ServerFailing, _server_failing),
        _rule(RoomShort, _room_short),
        _rule(RoomBack, _room_back),
        _rule(StoreAway, _store_away),
        _rule(StoreBack, _store_back),
        _rule(ClockDoubted, _clock_doubted),
    )
)
