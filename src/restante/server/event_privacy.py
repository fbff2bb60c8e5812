"""Events about mail of accounts that keep no full history, without the addresses of persons.

The log, traces, notices and the event stream are all made of events. So an event is shortened
once, before any part gets it (telemetry/event_bus). An account's history detail decides how far:

- `domain`: an address is shown as its domain, and a reply as its codes.
- `none`: no part of an address is shown. A reply is shown as its codes.

Replies of other servers often name a mailbox, also without its domain. So only their codes stay.
The name of a message, its Message-ID, its hosted domains and the client stay, so that an
operator can still follow it.

An address at a domain that is not hosted belongs to no account, and is shown whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from restante.mail.address import canonical_domain
from restante.telemetry.events import (
    AttemptEnded,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    DestinationRefuses,
    DrainFinished,
    Event,
    MailHeld,
    MailRefused,
    MessageDelivered,
    RecipientRefused,
    RecordChanged,
    ReportDeferred,
    ReportDropped,
    ReportSent,
)
from restante.tenancy.audit import AuditAction
from restante.tenancy.history_detail import HistoryDetail, shortened, text_in_detail
from restante.tenancy.model import Directory

Shorten = Callable[[Any], Event]
_Details = Mapping[str, HistoryDetail]  # those other than `full`
_Finder = Callable[[Any, HistoryDetail], Event]


class EventPrivacy:
    """Knows which accounts and domains keep no full history.

    A domain that was removed keeps its detail: events about its last mail may follow.
    """

    def __init__(self) -> None:
        self._of_domains: dict[str, HistoryDetail] = {}  # by canonical name
        self._of_accounts: dict[str, HistoryDetail] = {}

    def shorteners(self, directory: Directory) -> Mapping[type[Event], Shorten]:
        """Return what shortens events from now on, by their types."""
        accounts: dict[str, HistoryDetail] = {
            account.name: account.history
            for account in directory.accounts.values()
            if account.history is not HistoryDetail.FULL
        }
        gone = {
            name: detail
            for name, detail in self._of_domains.items()
            if name not in directory.domains
        }
        present = {
            domain.name: accounts[domain.account]
            for domain in (directory.domains.values() if accounts else ())
            if domain.account in accounts
        }
        self._of_accounts, self._of_domains = accounts, gone | present
        of_report = _by_account({**accounts, "": HistoryDetail.NONE}, _report)  # "": it is removed
        shorteners: dict[type[Event], Shorten] = dict.fromkeys(_REPORTS, of_report)
        if accounts or gone:
            shorteners |= _shorteners(self._of_domains, accounts)
        return shorteners


def _shorteners(domains: _Details, accounts: _Details) -> dict[type[Event], Shorten]:
    return {
        **{kind: _by_domain(domains, shorten) for kind, shorten in _ABOUT_A_DOMAIN.items()},
        RecordChanged: _by_account(accounts, _record),
        MailHeld: _by_domains(domains, _mail_held),
        MailRefused: _by_domains(domains, _mail_refused),
        RecipientRefused: _by_recipient(domains),
    }


# Whose events


def _by_domain(details: _Details, shorten: _Finder) -> Shorten:
    find = details.get

    def shorten_if_private(event: Any) -> Event:
        detail = find(event.domain)
        return event if detail is None else shorten(event, detail)

    return shorten_if_private


def _by_account(details: _Details, shorten: _Finder) -> Shorten:
    def shorten_if_private(event: Any) -> Event:
        detail = details.get(event.account)
        return event if detail is None else shorten(event, detail)

    return shorten_if_private


def _by_domains(details: _Details, shorten: _Finder) -> Shorten:
    """Shorten events about several domains, with the least detail that one of them keeps."""
    are_all_full = details.keys().isdisjoint  # thousands of events a second

    def shorten_if_private(event: MailHeld | MailRefused) -> Event:
        domains = event.domains or ()
        if are_all_full(domains):
            return event
        found = {details[name] for name in domains if name in details}
        return shorten(event, _strictest(found))

    return shorten_if_private


def _by_recipient(details: _Details) -> Shorten:
    def shorten_if_private(event: RecipientRefused) -> Event:
        detail = details.get(_domain_of(event.forward_path or ""))
        return event if detail is None else _recipient_refused(event, detail)

    return shorten_if_private


def _strictest(found: set[HistoryDetail]) -> HistoryDetail:
    return HistoryDetail.NONE if HistoryDetail.NONE in found else HistoryDetail.DOMAIN


def _domain_of(path: str) -> str:
    """Return the canonical domain of `<path>`, "" if it has none."""
    try:
        return canonical_domain(path.rpartition("@")[2].removesuffix(">"))
    except ValueError:
        return ""


# How they are shortened


def _mail_held(event: MailHeld, detail: HistoryDetail) -> Event:
    return replace(
        event,
        reverse_path=_path(event.reverse_path, detail),
        forward_paths=_paths(event.forward_paths, detail),
    )


def _mail_refused(event: MailRefused, detail: HistoryDetail) -> Event:
    reverse_path = event.reverse_path
    if reverse_path is not None:
        reverse_path = _path(reverse_path, detail)
    return replace(event, reverse_path=reverse_path, reason=text_in_detail(event.reason, detail))


def _recipient_refused(event: RecipientRefused, detail: HistoryDetail) -> Event:
    return replace(
        event,
        reverse_path=_path(event.reverse_path or "", detail),
        forward_path=_path(event.forward_path or "", detail),
        reason=text_in_detail(event.reason, detail),
    )


def _delivered(event: MessageDelivered, detail: HistoryDetail) -> Event:
    return replace(
        event,
        forward_paths=_paths(event.forward_paths, detail),
        reply=text_in_detail(event.reply, detail),
    )


def _not_delivered(
    event: DeliveryDeferred | DeliveryRefused | DeliveryUncertain, detail: HistoryDetail
) -> Event:
    return replace(
        event,
        forward_path=_path(event.forward_path, detail),
        reply=text_in_detail(event.reply, detail),
    )


def _ended(
    event: AttemptEnded | DeliveryAttempt | DestinationRefuses | DrainFinished,
    detail: HistoryDetail,
) -> Event:
    return replace(event, reason=text_in_detail(event.reason, detail))


def _report(event: ReportDeferred | ReportDropped | ReportSent, detail: HistoryDetail) -> Event:
    """Shorten a line about a report: `domain` is that of its reverse-path."""
    domain = "" if detail is HistoryDetail.NONE else event.domain
    return replace(event, domain=domain, reply=text_in_detail(event.reply, detail))


def _record(event: RecordChanged, _: HistoryDetail) -> Event:
    """Leave out senders, recipients and mailboxes of a list: the audit trail has them."""
    return replace(event, changes=()) if event.action in _NAMING_PERSONS else event


_ABOUT_A_DOMAIN: Final[Mapping[type[Event], _Finder]] = {
    MessageDelivered: _delivered,
    DeliveryDeferred: _not_delivered,
    DeliveryRefused: _not_delivered,
    DeliveryUncertain: _not_delivered,
    DeliveryAttempt: _ended,
    AttemptEnded: _ended,
    DrainFinished: _ended,
    DestinationRefuses: _ended,
}
_NAMING_PERSONS: Final = frozenset(
    {
        AuditAction.RECIPIENTS_CHANGED,
        AuditAction.MAIL_DELETED,
        AuditAction.MAIL_BOUNCED,
        AuditAction.MAIL_HELD_AGAIN,
        AuditAction.MAIL_EXPIRED,
        AuditAction.MAIL_EXPORTED,
        AuditAction.MAIL_IMPORTED,
    }
)
_REPORTS: Final = (ReportSent, ReportDeferred, ReportDropped)


def _paths(paths: tuple[str, ...], detail: HistoryDetail) -> tuple[str, ...]:
    if detail is HistoryDetail.NONE:
        return ()
    return tuple([shortened(path) for path in paths])


def _path(path: str, detail: HistoryDetail) -> str:
    """Return an address without its local part, or "". The null reverse-path names nobody."""
    if path == "<>":
        return path
    if detail is HistoryDetail.NONE:
        return ""
    if path.startswith("<"):
        return f"<{shortened(path[1:-1])}>"
    return shortened(path)
