"""Notices about the mail of a domain, its destination and its drains."""

from collections.abc import Iterator
from typing import Final

from restante.mail.quantity import counted
from restante.notices.notice_making import PairedRule, make_notice, paired
from restante.queue.drain_word import DrainEnd
from restante.telemetry.events import (
    DestinationRefuses,
    DrainFinished,
    DrillFailed,
    DrillPassed,
    DrillProofOld,
    MailAfterQuiet,
    MailExpired,
    MailLoops,
    MessageDamaged,
    PrimaryAway,
    PrimaryBack,
    ProofLost,
    QuotaReached,
    RetentionAhead,
)
from restante.tenancy.notice import NoticeFacts, NoticeKind

_ENDS: Final = {
    "delete": "deleted",
    "bounce": "bounced",
    "keep": "kept",
}  # by the policy's word for it


def _mail_after_quiet(event: MailAfterQuiet, at: float) -> Iterator[NoticeFacts]:
    domain = event.domain
    text = f"Mail came for {domain}, which had none for an hour: its own server may be away."
    yield make_notice(
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
    yield make_notice(
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
    yield make_notice(
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
    return make_notice(
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
        f"{event.destination} refused many messages for {domain} in a row: the drain was stopped."
    )
    yield make_notice(
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
        f"The {thing} uses {percent} % of its quota: {counted(event.messages, 'message')},"
        f" {counted(event.octets, 'octet')}."
    )
    yield make_notice(
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
    yield make_notice(
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
    yield make_notice(
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


def _mail_loops(event: MailLoops, at: float) -> Iterator[NoticeFacts]:
    domain = event.domain
    text = (
        f"Mail for {domain} loops: {event.peer} sent a message that has passed this"
        f" server {counted(event.passes, 'time')}. It was deferred. Let the destination deliver the"
        f" domain's mail itself, or set another one: restante domain set {domain} --destination"
    )
    yield make_notice(
        NoticeKind.MAIL_LOOPS,
        event.account,
        at,
        domain,
        text,
        domain=domain,
        peer=event.peer,
        passes=event.passes,
    )


def _proof_lost(event: ProofLost, at: float) -> Iterator[NoticeFacts]:
    domain = event.domain
    text = (
        f"DNS no longer proves that {domain} belongs to account {event.account}: {event.reason}."
        " Its mail is still taken. Publish the record again, or remove the domain if it has left."
    )
    yield make_notice(
        NoticeKind.PROOF_LOST,
        event.account,
        at,
        domain,
        text,
        domain=domain,
        reason=event.reason,
    )


def _drill_failed(event: DrillFailed, at: float) -> Iterator[NoticeFacts]:
    """A daily drill can fail for weeks: one notice for each doubling of the failures is enough."""
    if event.failures.bit_count() != 1:
        return
    domain, failures = event.domain, event.failures
    count = "A drill" if failures == 1 else f"{failures} drills in a row"
    text = f"{count} of {domain} failed: {event.reason}. See: restante domain check {domain}"
    yield make_notice(
        NoticeKind.DRILL_FAILED,
        event.account,
        at,
        domain,
        text,
        domain=domain,
        failures=failures,
        reason=event.reason,
    )


def _drill_proof_old(event: DrillProofOld, at: float) -> Iterator[NoticeFacts]:
    domain, days = event.domain, event.age_days
    text = (
        f"No drill has proven for {counted(days, 'day')} that the held mail of {domain} arrives."
        f" Run: restante drill {domain}"
    )
    about = f"{domain}, {counted(days, 'day')}"
    yield make_notice(
        NoticeKind.DRILL_PROOF_OLD,
        event.account,
        at,
        about,
        text,
        domain=domain,
        age_days=days,
    )


def _drill_passed(event: DrillPassed, at: float) -> Iterator[NoticeFacts]:
    """A drill that passed as expected is no news."""
    if not event.proven_again:
        return
    domain = event.domain
    text = f"A drill has proven again that the held mail of {domain} arrives."
    yield make_notice(NoticeKind.DRILL_PASSED, event.account, at, domain, text, domain=domain)


def _message_damaged(event: MessageDamaged, at: float) -> Iterator[NoticeFacts]:
    """Return one for the account of the mail, and one for the operator, who owns the disk."""
    message, domain = event.message, event.domain
    text = (
        f"Message {message}, held for {domain or 'a removed domain'}, is damaged: {event.reason}."
    )
    yield make_notice(
        NoticeKind.MESSAGE_DAMAGED,
        event.account,
        at,
        domain,
        text,
        domain=event.domain,
        message=event.message,
    )
    yield make_notice(
        NoticeKind.DAMAGE_FOUND,
        "",
        at,
        "held content",
        text,
        domain=event.domain,
        message=event.message,
    )


DOMAIN_RULES: Final[tuple[PairedRule, ...]] = (
    paired(MailAfterQuiet, _mail_after_quiet),
    paired(PrimaryAway, _primary_away),
    paired(PrimaryBack, _primary_back),
    paired(DrainFinished, _drain_finished),
    paired(DestinationRefuses, _destination_refuses),
    paired(QuotaReached, _quota_reached),
    paired(RetentionAhead, _retention_ahead),
    paired(MailExpired, _mail_expired),
    paired(MailLoops, _mail_loops),
    paired(ProofLost, _proof_lost),
    paired(DrillFailed, _drill_failed),
    paired(DrillProofOld, _drill_proof_old),
    paired(DrillPassed, _drill_passed),
    paired(MessageDamaged, _message_damaged),
)
