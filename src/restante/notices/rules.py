"""Which lines of the log cause notices, for which accounts, and with which text.

Every event with a notice has a line in the log already, as it has a metric (telemetry/metrics.py).
So log, metrics and notices cannot disagree, and the code that writes a line knows nothing of
notices.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from restante.mail.quantity import counted
from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.telemetry.events import Event
from restante.tenancy.notice import NoticeFacts, NoticeKind, clean

Fields = Mapping[str, Any]  # of one line of the log
Rule = Callable[[Fields, float], Iterator[NoticeFacts]]  # the line, and when it was written


def news_in(event: Event, fields: Fields, at: float) -> Iterator[NoticeFacts]:
    """Yield the notice facts of a line of the log."""
    rule = RULES.get(event)
    if rule is not None:
        yield from rule(fields, at)


def _make(
    kind: NoticeKind, fields: Fields, at: float, about: str, text: str, *shown: str
) -> NoticeFacts:
    """Return the facts of a notice for a line, with the named fields to show."""
    details = {name: _plain(fields[name]) for name in shown if fields.get(name) not in (None, "")}
    return NoticeFacts(kind, str(fields.get("account", "")), clean(about), clean(text), at, details)


def _plain(value: Any) -> str | int:
    return value if isinstance(value, int) else clean(value)


_ENDS: Final = {
    "delete": "deleted",
    "bounce": "bounced",
    "keep": "kept",
}  # by the policy's word for it


def _mail_after_quiet(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    domain = fields["domain"]
    text = f"Mail came for {domain}, which had none for an hour: its own server may be away."
    yield _make(NoticeKind.MAIL_AFTER_QUIET, fields, at, domain, text, "domain", "messages")


def _primary_away(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    where = fields["destination"]
    text = f"{where} does not answer; mail is held for {fields['domains']}. {fields['reason']}"
    yield _make(
        NoticeKind.PRIMARY_AWAY, fields, at, where, text, "destination", "domains", "reason"
    )


def _primary_back(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    where = fields["destination"]
    text = f"{where} answers again, the destination of {fields['domains']}."
    yield _make(NoticeKind.PRIMARY_BACK, fields, at, where, text, "destination", "domains")


_OF_A_DRAIN: Final = ("domain", "destination", "delivered", "refused", "held", "reason")


def _drain_finished(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    """A stopped drain causes no notice, by the operator or with the server; refusals do."""
    domain, held = fields["domain"], fields["held"]
    if fields["end"] == "finished" and fields["delivered"]:
        text = (
            f"The mail held for {domain} was delivered: {counted(fields['delivered'], 'message')}."
        )
        yield _make(NoticeKind.DRAIN_FINISHED, fields, at, domain, text, *_OF_A_DRAIN)
    elif fields["end"] == "given up":
        text = f"The drain of {domain} was given up; {counted(held, 'message stays', 'messages stay')} held. {fields['reason']}"
        yield _make(NoticeKind.DRAIN_GIVEN_UP, fields, at, domain, text, *_OF_A_DRAIN)
    if fields["refused"]:
        text = f"The destination of {domain} refused {counted(fields['refused'], 'message')} permanently: kept or bounced, as its policy says."
        yield _make(NoticeKind.DELIVERY_REFUSED, fields, at, domain, text, *_OF_A_DRAIN[:4])


def _destination_refuses(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    domain = fields["domain"]
    text = f"{fields['destination']} refuses the mail of {domain}, message after message; the drain was stopped."
    yield _make(NoticeKind.DESTINATION_REFUSES, fields, at, domain, text, *_OF_A_DRAIN)


def _quota_reached(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    thing, percent = f"{fields['scope']} {fields['name']}", fields["percent"]
    text = f"The quota of {thing} is full to {percent} %: {counted(fields['messages'], 'message')}, {counted(fields['octets'], 'octet')}."
    yield _make(
        NoticeKind.QUOTA_REACHED,
        fields,
        at,
        f"{thing}, {percent} %",
        text,
        "scope",
        "name",
        "percent",
        "messages",
        "octets",
    )


def _retention_ahead(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    domain, days = fields["domain"], fields["days"]
    end = _ENDS[fields["at_end"]]
    text = f"The oldest mail of {domain} ({fields['status']}) is at the end of its retention in {counted(days, 'day')}: then it is {end}."
    about = f"{domain}, {fields['status']}, {counted(days, 'day')}"
    yield _make(
        NoticeKind.RETENTION_AHEAD, fields, at, about, text, "domain", "status", "days", "at_end"
    )


def _mail_expired(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    domain, count = fields["domain"], fields["messages"]
    text = f"The retention of {counted(count, 'message')} of {domain} ({fields['status']}) was over: {_ENDS[fields['at_end']]}."
    about = f"{domain}, {fields['status']}"
    yield _make(
        NoticeKind.MAIL_EXPIRED, fields, at, about, text, "domain", "status", "messages", "at_end"
    )


def _authentication_burst(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    thing = f"{fields['scope']} {fields['name']}"
    text = f"{fields['failures']} attempts in a row to authenticate failed for {thing}, in {fields['minutes']} minutes at most."
    shown = ("scope", "name", "failures", "minutes", "peer")
    yield _make(NoticeKind.AUTHENTICATION_BURST, fields, at, thing, text, *shown)


def _certificate_expiring(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    days, ends = fields["days"], fields["ends"]
    text = (
        f"A certificate of the server {EXPIRES} {counted(days, 'day')}, at {ends}."
        if days
        else f"A certificate of the server {HAS_EXPIRED}, at {ends}."
    )
    yield _make(
        NoticeKind.CERTIFICATE_EXPIRING,
        fields,
        at,
        f"{ends}, {counted(days, 'day')}",
        text,
        "days",
        "ends",
    )


def _message_damaged(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    """Return one for the account of the mail, and one for the operator, who owns the disk."""
    message, domain = fields["message"], fields["domain"]
    text = f"Message {message}, held for {domain or 'a removed domain'}, is damaged: {fields['reason']}."
    yield _make(NoticeKind.MESSAGE_DAMAGED, fields, at, domain, text, "domain", "message")
    whole = {**fields, "account": ""}
    yield _make(NoticeKind.DAMAGE_FOUND, whole, at, "held content", text, "domain", "message")


def _server_failing(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    text = f"The server takes no more mail and leaves: {fields['reason']}. If it does not come back, see its log."
    yield _make(NoticeKind.SERVER_FAILING, fields, at, "store", text, "reason")


def _room_short(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    text = f"{fields['free']} octets are free on the store's disk, less than {fields['disk_reserve']}: mail is deferred."
    yield _make(NoticeKind.ROOM_SHORT, fields, at, "disk", text, "free", "disk_reserve")


def _room_back(fields: Fields, at: float) -> Iterator[NoticeFacts]:
    text = f"{fields['free']} octets are free on the store's disk: mail is taken again."
    yield _make(NoticeKind.ROOM_BACK, fields, at, "disk", text, "free", "disk_reserve")


RULES: Final[Mapping[Event, Rule]] = {
    Event.MAIL_AFTER_QUIET: _mail_after_quiet,
    Event.PRIMARY_AWAY: _primary_away,
    Event.PRIMARY_BACK: _primary_back,
    Event.DRAIN_FINISHED: _drain_finished,
    Event.DESTINATION_REFUSES: _destination_refuses,
    Event.QUOTA_REACHED: _quota_reached,
    Event.RETENTION_AHEAD: _retention_ahead,
    Event.MAIL_EXPIRED: _mail_expired,
    Event.AUTHENTICATION_BURST: _authentication_burst,
    Event.CERTIFICATE_EXPIRING: _certificate_expiring,
    Event.MESSAGE_DAMAGED: _message_damaged,
    Event.SERVER_FAILING: _server_failing,
    Event.ROOM_SHORT: _room_short,
    Event.ROOM_BACK: _room_back,
}
