"""Events about mail of an account without a full history name no person."""

from dataclasses import fields, replace
from typing import Any

import pytest

from restante.server.event_privacy import EventPrivacy
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    EVENTS,
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
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.model import Account, Directory
from tests.contract.making import domain

ACCOUNTS = {
    name: Account(name, 0.0, history=detail)
    for name, detail in (
        ("whole", HistoryDetail.FULL),
        ("brief", HistoryDetail.DOMAIN),
        ("silent", HistoryDetail.NONE),
    )
}
DOMAINS = {f"{name}.example": domain(f"{name}.example", of=name) for name in ACCOUNTS}
DIRECTORY = Directory(accounts=ACCOUNTS, domains=DOMAINS)

PERSONAL: dict[str, Any] = {  # by field
    "reverse_path": "<bob@sender.example>",
    "forward_paths": ("anna@brief.example", "otto@brief.example"),
    "reply": "550 5.1.1 anna: no such user",
    "reason": "the time for attempts is over; 450-4.2.0 <anna@brief.example> over quota",
    "changes": ("listed: 1 → 2", "added:  → anna"),
}
# Events whose text of another server is no reply about mail of an account.
NOT_ABOUT_MAIL = {"notice-sent", "notice-deferred", "notice-given-up"}


def shortened(event: Event, directory: Directory = DIRECTORY) -> Event:
    shorten = EventPrivacy().shorteners(directory).get(type(event))
    return event if shorten is None else shorten(event)


def about(kind: type[Event], account: str) -> Event:
    """Return an event about mail of an account, with persons wherever one can be named."""
    names = {one.name for one in fields(kind)}
    facts = {name: value for name, value in PERSONAL.items() if name in names}
    if "forward_path" in names:
        facts["forward_path"] = f"anna@{account}.example"
    if kind is RecipientRefused:
        facts["forward_path"] = f"<anna@{account.upper()}.example>"
    if kind is RecordChanged:
        facts["action"] = "recipients-changed"
        facts["reason"] = "new staff"
    facts |= {
        name: value
        for name, value in (("account", account), ("domains", (f"{account}.example",)))
        if name in names
    }
    if "domain" in names:
        is_report = kind in (ReportSent, ReportDeferred, ReportDropped)
        facts["domain"] = "sender.example" if is_report else f"{account}.example"
    return example(kind, **facts)


CONCERNED = (
    MailHeld,
    MailRefused,
    RecipientRefused,
    MessageDelivered,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    DeliveryAttempt,
    AttemptEnded,
    DrainFinished,
    DestinationRefuses,
    ReportSent,
    ReportDeferred,
    ReportDropped,
    RecordChanged,
)


@pytest.mark.parametrize("kind", CONCERNED)
def test_no_person_is_named_where_the_history_names_none(kind: type[Event]) -> None:
    assert "anna" in repr(about(kind, "brief")) or "bob" in repr(about(kind, "brief"))
    for account in ("brief", "silent"):
        shown = repr(shortened(about(kind, account)))
        assert not any(person in shown for person in ("anna", "bob", "otto")), shown
    assert "sender.example" not in repr(shortened(about(kind, "silent")))


@pytest.mark.parametrize(
    "action", ["mail-deleted", "mail-bounced", "mail-expired", "mail-held-again"]
)
def test_mail_that_is_removed_keeps_its_name_and_no_persons(action: str) -> None:
    changes = ("reverse_path: <bob@sender.example> → ", "recipients: anna@brief.example → ")
    event = example(
        RecordChanged, action=action, account="brief", subject="0000a7k", changes=changes
    )
    assert shortened(event) == replace(event, changes=())


def test_another_change_of_a_record_is_whole() -> None:
    event = example(
        RecordChanged, action="domain-changed", account="brief", changes=("note:  → x",)
    )
    assert shortened(event) is event


@pytest.mark.parametrize("kind", EVENTS)
def test_other_events_and_those_of_a_full_history_are_whole(kind: type[Event]) -> None:
    event = about(kind, "whole")
    assert shortened(event) is event
    if kind not in CONCERNED:
        event = about(kind, "silent")
        assert shortened(event) is event


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_with_a_path_or_a_reply_is_shortened(kind: type[Event]) -> None:
    names = {one.name for one in fields(kind)}
    is_personal = names & {"reverse_path", "forward_path", "forward_paths", "reply"}
    if is_personal and kind.event not in NOT_ABOUT_MAIL:
        assert kind in CONCERNED


def test_mail_that_comes_in_keeps_its_name_and_domains() -> None:
    event = about(MailHeld, "brief")
    assert shortened(event) == replace(
        event,  # type: ignore[call-arg]
        reverse_path="<@sender.example>",
        forward_paths=("@brief.example", "@brief.example"),
    )
    event = about(MailHeld, "silent")
    assert shortened(event) == replace(event, reverse_path="", forward_paths=())  # type: ignore[call-arg]


def test_the_strictest_of_several_accounts_counts() -> None:
    names = ("brief.example", "silent.example", "whole.example")
    event = example(MailHeld, domains=names, reverse_path="<bob@sender.example>")
    assert shortened(event).reverse_path == ""  # type: ignore[attr-defined]


def test_the_null_reverse_path_names_nobody() -> None:
    event = example(MailHeld, domains=("silent.example",), reverse_path="<>")
    assert shortened(event).reverse_path == "<>"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reason", "brief", "silent"),
    [
        ("Connection refused", "Connection refused", "Connection refused"),
        ("given up; 450 4.2.0 anna is full", "given up; 450 4.2.0", "given up; 450 4.2.0"),
        ("550-5.1.1 anna\n550 5.1.1 gone", "550 5.1.1", "550 5.1.1"),
        ("554 no mail for anna here", "554", "554"),
        ('"a b"@c.example is known', "@c.example is known", "(address) is known"),
        ("not anna+x@brief.example.", "not @brief.example.", "not (address)"),
    ],
)
def test_of_a_text_its_codes_and_domains_stay(reason: str, brief: str, silent: str) -> None:
    for account, expected in (("brief", brief), ("silent", silent)):
        event = example(DrainFinished, domain=f"{account}.example", reason=reason)
        assert shortened(event).reason == expected  # type: ignore[attr-defined]


def test_an_address_of_no_account_is_whole() -> None:
    for path in ("<anna@nowhere.example>", "<postmaster>", "<anna@-bad-.example>", None):
        event = example(RecipientRefused, forward_path=path)
        assert shortened(event) is event


def test_a_domain_that_was_removed_stays_private_and_one_that_moved_does_not() -> None:
    privacy = EventPrivacy()
    privacy.shorteners(DIRECTORY)
    moved = {"brief.example": replace(DOMAINS["brief.example"], account="whole")}
    later = privacy.shorteners(Directory(accounts={"whole": ACCOUNTS["whole"]}, domains=moved))
    gone = about(MessageDelivered, "silent")
    assert "anna" not in repr(later[MessageDelivered](gone))
    event = about(MessageDelivered, "brief")
    assert later[MessageDelivered](event) is event


def test_a_report_about_a_domain_that_is_gone_names_nobody() -> None:
    event = replace(about(ReportDeferred, "whole"), account="")  # type: ignore[call-arg]
    shown = EventPrivacy().shorteners(Directory())[ReportDeferred](event)
    assert "anna" not in repr(shown)
    assert "sender.example" not in repr(shown)


def test_nothing_is_done_for_mail_while_all_histories_are_full() -> None:
    whole = Directory(accounts={"whole": ACCOUNTS["whole"]}, domains=DOMAINS)
    assert set(EventPrivacy().shorteners(whole)) == {ReportSent, ReportDeferred, ReportDropped}
