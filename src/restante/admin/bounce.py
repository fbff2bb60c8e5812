"""Giving mail up by hand: messages go, and their senders are told, in one transaction.

A sender is told of recipients who are held or refused, as the destination's last word on each has it. Nobody is told
where that may not be (queue/reporting.py): mail from the null reverse-path, mail taken under suspicion, NOTIFY=NEVER.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from restante.admin.errors import AdminError, Kind
from restante.admin.office import Office
from restante.admin.queue import NamedMessages, QueueChange, number_of
from restante.admin.trail import announce, checked_reason, entry
from restante.delivery.giving_up import prepare_bounce
from restante.delivery.report_desk import ReportDesk
from restante.delivery.route import remote_name
from restante.mail.message import message_name
from restante.queue.status import Status
from restante.store.errors import StoreError
from restante.store.interface import Bounce, QueuedMessage, QueueFilter
from restante.tenancy.audit import AuditAction

AT_ONCE = 100  # messages in one transaction: their reports are in memory together


class BounceChange(QueueChange):
    """What came of it; of those changed, `told` had a sender who may be told."""

    told: int


async def bounce_messages(office: Office, named: NamedMessages) -> BounceChange:
    """Give messages up, whatever their state. Raises AdminError.

    A message that changed while its report was made is among the missing: it may be delivered by now.
    """
    checked_reason(named.reason)
    numbers = {number_of(name): name for name in named.names}
    found = await office.store.list_queue(QueueFilter(numbers=tuple(numbers), limit=len(numbers)))
    _check_drains(office, found)
    done: set[int] = set()
    told = 0
    for domain_id, group in _groups(found):
        bounces = [bounce for listed in group if (bounce := await _bounce(office, listed)) is not None]
        bounced = await _carry_out(office, domain_id, bounces, named.reason)
        told += sum(bounce.report is not None for bounce in bounces if bounce.number in bounced)
        done |= bounced
    missing = [name for number, name in numbers.items() if number not in done]
    return BounceChange(changed=len(done), missing=missing, told=told)


def _check_drains(office: Office, found: Sequence[QueuedMessage]) -> None:
    """Raise AdminError where a message may be on its way to its destination at this moment."""
    running = {drain.domain for drain in office.server.drains()} if office.server else set()
    for listed in found:
        domain = office.directory.now.domain_by_id(listed.domain_id)
        is_held = any(one.status is Status.HELD for one in listed.recipients)
        if is_held and domain is not None and domain.name in running:
            error = f"message {message_name(listed.number)}: mail of {domain.name} is being handed over"
            raise AdminError(Kind.CONFLICT, error, "wait until its drain is over (`restante status`)")


def _groups(found: Sequence[QueuedMessage]) -> Iterator[tuple[int, Sequence[QueuedMessage]]]:
    """Yield messages by domain, so many at once: no account's trail may name another's mail."""
    by_domain: dict[int, list[QueuedMessage]] = defaultdict(list)
    for listed in found:
        by_domain[listed.domain_id].append(listed)
    for domain_id, group in by_domain.items():
        for start in range(0, len(group), AT_ONCE):
            yield domain_id, group[start : start + AT_ONCE]


async def _bounce(office: Office, listed: QueuedMessage) -> Bounce | None:
    """Return what is to be done with a message; None for one that is gone. Raises AdminError for a damaged one."""
    domain = office.directory.now.domain_by_id(listed.domain_id)
    remote = remote_name(domain.destination) if domain is not None else ""
    try:
        return await prepare_bounce(office.store, _desk(office), listed, remote)
    except StoreError as error:
        remedy = "`restante queue delete` removes it; nobody can be shown what it was"
        raise AdminError(Kind.CONFLICT, f"message {message_name(listed.number)}: {error}", remedy) from error


async def _carry_out(office: Office, domain_id: int, bounces: Sequence[Bounce], reason: str) -> set[int]:
    if not bounces:
        return set()
    domain = office.directory.now.domain_by_id(domain_id)
    subject = " ".join(message_name(bounce.number) for bounce in bounces)
    recorded = entry(office, AuditAction.MAIL_BOUNCED, subject, domain.account if domain else "", reason)
    bounced = set(await office.store.bounce(bounces, recorded))
    announce(office, recorded)
    _desk(office).stored([one.report for one in bounces if one.report is not None and one.number in bounced])
    return bounced


def _desk(office: Office) -> ReportDesk:
    desk = ReportDesk(office.store, office.hostname, office.now, office.log)
    if office.server is not None:
        desk.on_stored = office.server.send_reports
    return desk
