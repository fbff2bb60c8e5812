"""Each function of administration asks the one table, and no account reaches another's things."""

import ast
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

import restante
from restante.admin import (
    account_use,
    accounts,
    auditing,
    bounce,
    channels,
    domain_check,
    domain_dns,
    domain_drill,
    domain_snippets,
    domain_uptime,
    domains,
    drains,
    drill_arrival,
    drill_proof,
    event_following,
    held_mail,
    held_over_time,
    hold_again,
    known_records,
    left_since_backup,
    login_passwords,
    logins,
    mail_history,
    mail_search,
    nodes,
    operator_release,
    past_notices,
    permissions,
    person_data,
    portal_links,
    portal_users,
    queue_release,
    recipient_lists,
    refusal_groups,
    releases,
    report_queue,
    scope,
    server_status,
    session_tracing,
    store_maintenance,
    store_move,
    token_makings,
    tokens,
    waiting_changes,
)
from restante.admin.account_use import UseSelection
from restante.admin.admin_context import AdminContext, operator
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import ChannelChange, NewChannel
from restante.admin.domain_change import DomainChange, NewDomain
from restante.admin.domain_uptime import UptimeSelection
from restante.admin.drill_arrival import DrillArrival
from restante.admin.drill_leftovers import DrillBeginning
from restante.admin.event_feed import EventFeed
from restante.admin.held_over_time import HeldSpan
from restante.admin.mail_history import HistorySelection
from restante.admin.mail_search import TraceSelection
from restante.admin.past_notices import PastSelection, SentAgain
from restante.admin.permissions import (
    GRANTED,
    AdminAction,
    actions_of,
    may,
    permit_fields,
)
from restante.admin.use_table import use_table
from restante.mail.import_stream import WHOLE, pack_block, pack_label
from restante.mail.message import message_name
from restante.notices.webhook_signature import new_signing_key
from restante.sasl.scram_keys import new_verifier
from restante.store.choice import store_care
from restante.store.queue_store import QueueFilter
from restante.store.report_store import ReportFilter
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.tenancy.grants import ALL_GRANTS, Grant, GrantedRole, Scope
from restante.tenancy.model import parse_authorized_hosts
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind, PastNotice
from restante.tenancy.principal import (
    COMMAND_LINE,
    CONTROL_SOCKET,
    NOBODY,
    Principal,
    Role,
    account_login,
    policy_rule,
)
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from restante.transfer import queue_content, queue_import
from restante.transfer.import_arrival import ImportLabel
from restante.transfer.transfer_error import TransferError, TransferFault
from tests.actors import actor_named
from tests.admin.admin_world import (
    HEAD,
    NOW,
    AdminWorld,
    FakeServer,
    all_of,
    ask_for,
    run,
    with_settings,
)
from tests.admin.configurations import applied
from tests.admin.configurations import exported as exported_configuration
from tests.admin.test_drill_arrival import header_of
from tests.admin.test_drill_proof import DRILL
from tests.contract.making import NOTED
from tests.source_tree import parse_source

SOURCE = Path(restante.__file__).parent
SOURCE_CARE = store_care(f"sqlite://{SOURCE}")


class UnreadableStore:
    """A store of a move that cannot be read."""

    place = "sqlite:///nowhere"

    @property
    def mark(self) -> None:
        raise StoreError("there is no store")


NO_STORE: Any = UnreadableStore()
ALPHA_LOGIN = account_login("alpha-mail", "alpha", "192.0.2.1")
BETA_LOGIN = account_login("beta-mail", "beta", "192.0.2.1")


@dataclass(frozen=True)
class Things:
    """The things of one account, by their names."""

    account: str
    held: str
    refused: str
    report: int
    release: str

    @property
    def domain(self) -> str:
        return f"{self.account}.example"

    @property
    def both(self) -> held_mail.NamedMessages:
        return held_mail.NamedMessages(names=(self.held, self.refused), reason="test")


ALPHA, BETA = Things("alpha", "1", "2", 1, "a"), Things("beta", "3", "4", 2, "b")
UNKNOWN = Things("gamma", "7", "8", 9, "c")
Call = Callable[[AdminContext, Things], Awaitable[object]]


def at_once(function: Callable[[AdminContext, Things], object]) -> Call:
    async def call(context: AdminContext, of: Things) -> object:
        found = function(context, of)
        return list(found) if isinstance(found, Iterator) else found

    return call


async def imported(context: AdminContext, of: Things) -> object:
    async def stream() -> Any:
        label = ImportLabel(reverse_path="a@sender.example", forward_paths=(f"new@{of.domain}",))
        yield pack_label(label.model_dump_json()) + pack_block(HEAD) + WHOLE

    return await queue_import.import_mail(context, stream(), "moved")


async def exported(context: AdminContext, of: Things) -> object:
    orders = (
        queue_content.ExportOrder(names=(of.held,), reason="test"),
        queue_content.ExportOrder(
            selection=held_mail.QueueSelection(domain=of.domain), reason="test"
        ),
    )
    return [
        [octets async for octets in await queue_content.export_mail(context, order)]
        for order in orders
    ]


async def followed(context: AdminContext, _of: Things) -> object:
    feed = EventFeed(context.directory, context.now)
    found = event_following.follow_events(
        replace(context, parts=replace(context.parts, feed=feed)), ""
    )
    return await anext(found)


async def lines_of(lines: Any) -> object:
    return [line async for line in lines]


def added_channel(of: Things) -> NewChannel:
    return NewChannel(name="two", account=of.account, mail="ops@elsewhere.example")


def exposed_channel(of: Things) -> NewChannel:
    webhook, key = SecretStr("http://hook.example/x"), SecretStr(new_signing_key())
    return NewChannel(name="plain", account=of.account, webhook=webhook, key=key, insecure=True)


def added_channel_entry(of: Things) -> dict[str, Any]:
    mail = "ops@elsewhere.example"
    return {"thing": "channel", "name": "two", "account": of.account, "mail": mail}


def added_login_entry(of: Things) -> dict[str, Any]:
    return {"thing": "login", "user": "another", "account": of.account}


def kept_login_entry(of: Things) -> dict[str, Any]:
    login = f"{of.account}-mail"
    return {"thing": "login", "user": login, "account": of.account, "cram_md5": True}


async def whole(pieces: AsyncIterator[str]) -> str:
    """Return a text that is made in pieces."""
    return "".join([piece async for piece in pieces])


def invitation_of(of: Things, email: str) -> portal_users.NewPortalUser:
    role = GrantedRole.ACCOUNT_READER
    return portal_users.NewPortalUser(email=email, account=of.account, role=role)


def newer_history_of(of: Things) -> left_since_backup.NewerHistory:
    moment = datetime.fromtimestamp(NOW - 3600, UTC)
    gone = left_since_backup.NewerOutcome(
        name=of.held,
        received_at=moment,
        octets=len(HEAD),
        reverse_path="a@sender.example",
        message_id="",
        forward_path=f"x@{of.domain}",
        outcome="delivered",
        at=moment,
    )
    return left_since_backup.NewerHistory(outcomes=(gone,), reason="restored")


CALLS: dict[AdminAction, list[Call]] = {
    AdminAction.ACCOUNT_ADD: [
        lambda c, of: accounts.add_account(c, accounts.NewAccount(name=f"{of.account}2"))
    ],
    AdminAction.ACCOUNT_LIST: [at_once(lambda c, _: accounts.list_accounts(c))],
    AdminAction.ACCOUNT_SHOW: [
        lambda c, of: account_use.account_uses(c, UseSelection(account=of.account), "", 9),
        lambda c, of: whole(use_table(c, UseSelection(account=of.account))),
        at_once(lambda c, of: accounts.show_account(c, of.account)),
        at_once(lambda c, of: known_records.known_account(c, of.account)),
    ],
    AdminAction.ACCOUNT_CHANGE: [
        lambda c, of: accounts.change_account(c, of.account, accounts.AccountChange(note="x"))
    ],
    AdminAction.ACCOUNT_REMOVE: [lambda c, of: accounts.remove_account(c, of.account, "left")],
    AdminAction.LOGIN_ADD: [
        lambda c, of: logins.add_login(
            c, of.account, logins.NewLogin(user="another", password=SecretStr("secret word"))
        )
    ],
    AdminAction.LOGIN_LIST: [
        lambda c, of: logins.list_logins(c, of.account),
        lambda c, of: logins.show_login(c, of.account, f"{of.account}-mail"),
        at_once(lambda c, of: known_records.known_login(c, of.account, f"{of.account}-mail")),
    ],
    AdminAction.LOGIN_CHANGE: [
        lambda c, of: logins.change_login(
            c, of.account, f"{of.account}-mail", logins.LoginChange(cram_md5=False)
        )
    ],
    AdminAction.LOGIN_REMOVE: [
        lambda c, of: logins.remove_login(c, of.account, f"{of.account}-mail", "left")
    ],
    AdminAction.TOKEN_ADD: [
        lambda c, of: tokens.add_token(
            c, tokens.NewToken(name="two", account=of.account, scopes=(Scope.RELEASE,))
        )
    ],
    AdminAction.TOKEN_LIST: [
        lambda c, of: tokens.list_tokens(c, of.account),
        lambda c, _: tokens.list_tokens(c),
    ],
    AdminAction.TOKEN_REVOKE: [
        lambda c, of: tokens.revoke_token(c, token_id(c, of), "test"),
        lambda c, of: token_makings.list_makings(c, token_id(c, of)),
    ],
    AdminAction.USER_INVITE: [
        lambda c, of: portal_users.invite_user(c, invitation_of(of, f"new@{of.domain}")),
        lambda c, of: portal_users.invite_user(c, invitation_of(of, f"ana@{of.domain}")),
    ],
    AdminAction.USER_LIST: [
        lambda c, of: portal_users.list_users(c, of.account),
        lambda c, _: portal_users.list_users(c),
        at_once(lambda c, of: portal_users.show_user(c, f"ana@{of.domain}")),
        at_once(lambda c, of: known_records.known_user(c, f"ana@{of.domain}")),
    ],
    AdminAction.USER_CHANGE: [
        lambda c, of: portal_users.change_user(
            c,
            f"ana@{of.domain}",
            portal_users.PortalUserChange(role=GrantedRole.ACCOUNT_OPERATOR),
        )
    ],
    AdminAction.USER_REMOVE: [
        lambda c, of: portal_users.remove_user(c, f"ana@{of.domain}", "left")
    ],
    AdminAction.PORTAL_LINK: [
        lambda c, of: portal_links.make_portal_link(
            with_settings(c, portal_url=lambda: "https://r.example"),
            portal_links.NewPortalLink(user=f"ana@{of.domain}"),
        )
    ],
    AdminAction.DOMAIN_ADD: [
        lambda c, of: domains.add_domain(
            c,
            NewDomain(
                name=f"two.{of.domain}", account=of.account, destination="mail.alpha.example"
            ),
        )
    ],
    AdminAction.DOMAIN_LIST: [
        lambda c, of: domains.list_domains(c, of.account),
        lambda c, _: domains.list_domains(c),
    ],
    AdminAction.DOMAIN_SHOW: [
        lambda c, of: domains.show_domain(c, of.domain),
        at_once(lambda c, of: known_records.known_domain(c, of.domain)),
        lambda c, of: domain_uptime.show_uptime(c, of.domain, UptimeSelection()),
        lambda c, of: held_over_time.show_held(c, of.domain, HeldSpan()),
        lambda c, of: domain_dns.show_dns(c, of.domain),
        lambda c, of: domain_snippets.list_snippets(c, of.domain),
    ],
    AdminAction.DOMAIN_CHECK: [lambda c, of: domain_check.check_domain(c, of.domain)],
    AdminAction.DOMAIN_SUSPEND: [
        lambda c, of: domains.change_domain(
            c, of.domain, DomainChange.model_validate({"hold": "suspended", "reason": "unpaid"})
        ),
        lambda c, of: domains.change_domain(
            c, of.domain, DomainChange.model_validate({"hold": "until-asked"})
        ),
    ],
    AdminAction.DOMAIN_CHANGE: [
        lambda c, of: domains.change_domain(
            c, of.domain, DomainChange.model_validate({"hold": "relay"})
        )
    ],
    AdminAction.DOMAIN_LIMIT: [
        lambda c, of: domains.change_domain(
            c, of.domain, DomainChange.model_validate({"quota": 1000})
        )
    ],
    AdminAction.DOMAIN_DIRECT: [
        lambda c, of: domains.change_domain(c, of.domain, DomainChange(destination="192.0.2.7"))
    ],
    AdminAction.DOMAIN_AUTHORIZE: [
        lambda c, of: domains.change_domain(c, of.domain, DomainChange(add_allow=("192.0.2.9",)))
    ],
    AdminAction.DOMAIN_MOVE: [
        lambda c, of: domains.change_domain(c, of.domain, DomainChange(account="alpha"))
    ],
    AdminAction.DOMAIN_REMOVE: [lambda c, of: domains.remove_domain(c, of.domain, "left")],
    AdminAction.CHANGE_LIST: [
        lambda c, of: waiting_changes.list_changes(c, domain=of.domain),
        lambda c, of: waiting_changes.list_changes(c, account=of.account),
        lambda c, _: waiting_changes.list_changes(c),
    ],
    AdminAction.CHANGE_CANCEL: [
        lambda c, of: waiting_changes.cancel_change(c, of.report),
    ],
    AdminAction.CHANGE_APPLY: [
        lambda c, of: waiting_changes.apply_change(c, of.report),
    ],
    AdminAction.RECIPIENTS_LIST: [
        lambda c, of: all_of(recipient_lists.list_recipients(c, of.domain)),
        lambda c, of: recipient_lists.known_list(c, of.domain),
    ],
    AdminAction.RECIPIENTS_CHANGE: [
        lambda c, of: recipient_lists.change_recipients(
            c, of.domain, recipient_lists.RecipientChange(add=("postmaster",))
        ),
        lambda c, of: recipient_lists.replace_recipients(
            c, of.domain, recipient_lists.RecipientList(addresses=("postmaster",))
        ),
    ],
    AdminAction.QUEUE_LIST: [
        lambda c, of: all_of(held_mail.list_queue(c, held_mail.QueueSelection(domain=of.domain))),
        lambda c, _: all_of(held_mail.list_queue(c, held_mail.QueueSelection())),
        lambda c, _: held_mail.name_messages(c, held_mail.QueueSelection()),
        lambda c, _: held_mail.name_messages(c, held_mail.QueueSelection(recipient="*@*")),
        lambda c, of: refusal_groups.refusal_groups(c, of.domain),
        lambda c, _: refusal_groups.refusal_groups(c, None),
    ],
    AdminAction.DOMAIN_DRILL: [
        lambda c, of: domain_drill.drill_domain(c, of.domain, domain_drill.DrillOrder()),
        lambda c, of: header_read(c, of.domain),
        at_once(lambda c, _: drill_proof.verify_proof(c, drill_proof.signed(c.vault, DRILL))),
    ],
    AdminAction.QUEUE_SHOW: [lambda c, of: held_mail.show_message(c, of.held)],
    AdminAction.QUEUE_DELETE: [lambda c, of: held_mail.delete_messages(c, of.both)],
    AdminAction.QUEUE_DELETE_LEFT: [
        lambda c, of: left_since_backup.delete_left(c, newer_history_of(of))
    ],
    AdminAction.QUEUE_BOUNCE: [lambda c, of: bounce.bounce_messages(c, of.both)],
    AdminAction.QUEUE_RELEASE: [
        lambda c, of: hold_again.hold_again(
            c, hold_again.MessagesToHoldAgain(names=of.both.names, reason="test")
        ),
        lambda c, of: queue_release.release_messages(
            c, hold_again.MessagesToHoldAgain(names=of.both.names, status="refused")
        ),
    ],
    AdminAction.CONTENT_READ: [lambda c, of: queue_content.read_content(c, of.held, "test")],
    AdminAction.CONTENT_EXPORT: [exported],
    AdminAction.CONTENT_IMPORT: [
        imported,
        lambda c, of: queue_import.digest_content(c, queue_import.DigestOrder(names=(of.held,))),
    ],
    AdminAction.TRACE: [
        lambda c, of: mail_search.trace(c, TraceSelection(domain=of.domain)),
        lambda c, of: mail_search.trace(c, TraceSelection(name=of.held)),
        lambda c, of: mail_search.show_mail(c, of.held),
        lambda c, of: mail_history.list_history(c, HistorySelection(domain=of.domain)),
        lambda c, of: lines_of(mail_history.export_history(c, HistorySelection(domain=of.domain))),
    ],
    AdminAction.PERSON_EXPORT: [
        lambda c, of: lines_of(
            person_data.export_person(
                c, person_data.PersonOrder(address=f"a@{of.domain}", reason="test")
            )
        )
    ],
    AdminAction.PERSON_ERASE: [
        lambda c, of: lines_of(
            person_data.erase_person(
                c, person_data.ErasureOrder(address=f"a@{of.domain}", reason="test")
            )
        )
    ],
    AdminAction.REPORTS_LIST: [
        lambda c, of: all_of(
            report_queue.list_reports(c, report_queue.ReportSelection(domain=of.domain))
        ),
        lambda c, _: all_of(report_queue.list_reports(c, report_queue.ReportSelection())),
    ],
    AdminAction.REPORTS_SHOW: [lambda c, of: report_queue.show_report(c, of.report)],
    AdminAction.REPORTS_DROP: [
        lambda c, of: report_queue.drop_reports(
            c, report_queue.NamedReports(numbers=(of.report,), reason="test")
        )
    ],
    AdminAction.CHANNEL_ADD: [lambda c, of: channels.add_channel(c, added_channel(of))],
    AdminAction.CHANNEL_LIST: [
        at_once(lambda c, of: channels.list_channels(c, of.account)),
        at_once(lambda c, of: channels.show_channel(c, of.account, "hook")),
        at_once(lambda c, of: known_records.known_channel(c, of.account, "hook")),
        at_once(lambda c, _: channels.list_channels(c)),
    ],
    AdminAction.CHANNEL_CHANGE: [
        lambda c, of: channels.change_channel(
            c, of.account, "hook", ChannelChange(kinds=(NoticeKind.DRAIN_FINISHED,)), "test"
        )
    ],
    AdminAction.CHANNEL_EXPOSE: [
        lambda c, of: channels.add_channel(c, exposed_channel(of)),
        lambda c, of: channels.change_channel(
            c, of.account, "hook", ChannelChange(insecure=True), "test"
        ),
    ],
    AdminAction.CHANNEL_REMOVE: [
        lambda c, of: channels.remove_channel(c, of.account, "hook", "test")
    ],
    AdminAction.CHANNEL_TEST: [
        lambda c, of: channels.try_channel(c, of.account, "hook"),
        lambda c, of: past_notices.send_again(c, of.account, "hook", SentAgain(id="sent-before")),
    ],
    AdminAction.NOTICES_LIST: [
        lambda c, of: all_of(channels.list_waiting(c, of.account)),
        lambda c, _: all_of(channels.list_waiting(c)),
        lambda c, of: past_notices.list_past(c, PastSelection(account=of.account)),
        lambda c, _: past_notices.list_past(c, PastSelection()),
    ],
    AdminAction.RELEASE: [
        lambda c, of: operator_release.release(
            c, operator_release.ReleaseOrder(targets=(of.domain,))
        )
    ],
    AdminAction.RELEASE_LIST: [
        lambda c, of: past(c, releases.ReleaseSelection(domain=of.domain)),
        lambda c, of: past(c, releases.ReleaseSelection(account=of.account)),
        lambda c, _: past(c, releases.ReleaseSelection()),
        lambda c, of: releases.show_release(c, of.release),
        lambda c, of: releases.list_refused_requests(c, of.account, 0.0),
    ],
    AdminAction.DRAIN_LIST: [
        lambda c, _: drains.list_drains(c),
        lambda c, _: drained(c, None),
        lambda c, of: drained(c, of.domain),
    ],
    AdminAction.DRAIN_STOP: [
        lambda c, of: drains.stop_drain(c, of.domain, drains.DrainStop(reason="test"))
    ],
    AdminAction.EVENTS_FOLLOW: [followed],
    AdminAction.AUDIT_LIST: [
        lambda c, of: all_of(auditing.list_audit(c, AuditFilter(account=of.account))),
        lambda c, of: all_of(auditing.list_audit(c, AuditFilter(domain=of.domain))),
        lambda c, _: all_of(auditing.list_audit(c)),
    ],
    AdminAction.CONFIGURATION_APPLY: [
        lambda c, of: applied(c, [added_channel_entry(of)]),
        lambda c, of: applied(c, [added_channel_entry(of)], is_dry_run=True),
        lambda c, of: applied(c, [kept_login_entry(of)]),
        lambda c, of: applied(c, [added_login_entry(of)]),
    ],
    AdminAction.CONFIGURATION_EXPORT: [
        lambda c, of: exported_configuration(c, of.account),
        lambda c, _: exported_configuration(c, None),
    ],
    AdminAction.SECRETS_EXPORT: [
        lambda c, of: exported_configuration(c, of.account, with_secrets=True),
        lambda c, _: exported_configuration(c, None, with_secrets=True),
    ],
    AdminAction.SERVER_STATUS: [lambda c, _: server_status.show_status(c)],
    AdminAction.SERVER_METRICS: [lambda c, _: server_status.show_metrics(c, "")],
    AdminAction.SESSION_TRACE: [
        lambda c, _: anext(
            session_tracing.trace_sessions(c, session_tracing.TraceOrder(source="192.0.2.7"))
        )
    ],
    AdminAction.STORE_BACKUP: [
        lambda c, _: store_maintenance.backup(
            c, store_maintenance.BackupOrder(directory="/nonexistent/x")
        )
    ],
    AdminAction.STORE_CHECK: [
        at_once(
            lambda c, _: store_maintenance.check_store(
                c.principal, SOURCE_CARE, lambda *_: None, None
            )
        )
    ],
    AdminAction.STORE_SALVAGE: [
        at_once(
            lambda c, _: store_maintenance.salvage_store(
                c.principal, SOURCE_CARE, SOURCE, lambda _: None
            )
        )
    ],
    AdminAction.NODE_LIST: [lambda c, _: nodes.list_nodes(c)],
    AdminAction.NODE_RETIRE: [lambda c, _: nodes.retire_node(c, "mx1:7", nodes.NodeOrder())],
    AdminAction.NODE_REMOVE: [lambda c, _: nodes.remove_node(c, "mx1:7", nodes.NodeOrder())],
    AdminAction.STORE_UPGRADE: [
        at_once(lambda c, _: store_maintenance.plan_store_upgrade(c.principal, SOURCE_CARE)),
        at_once(lambda c, _: store_maintenance.upgrade_store(c.principal, SOURCE_CARE)),
    ],
    AdminAction.STORE_MOVE: [
        lambda c, _: store_move.move_store(c.principal, NO_STORE, NO_STORE, lambda *_: None),
        lambda c, _: store_move.undo_store_move(c.principal, NO_STORE, None),
    ],
}
# These concern the platform as a whole: an account's things and another's cannot be told apart.
OF_THE_PLATFORM = {
    AdminAction.SERVER_STATUS,
    AdminAction.SERVER_METRICS,
    AdminAction.SESSION_TRACE,
    AdminAction.STORE_BACKUP,
    AdminAction.STORE_CHECK,
    AdminAction.STORE_SALVAGE,
    AdminAction.STORE_UPGRADE,
    AdminAction.STORE_MOVE,
    AdminAction.NODE_LIST,
    AdminAction.NODE_RETIRE,
    AdminAction.NODE_REMOVE,
    AdminAction.ACCOUNT_ADD,
    AdminAction.PERSON_EXPORT,
    AdminAction.PERSON_ERASE,
    AdminAction.RELEASE,  # the releaser decides: tests/release/test_authorization.py
}
# Their calls give rights, of which the principal must have each.
GIVES_RIGHTS = {
    AdminAction.TOKEN_ADD,
    AdminAction.USER_INVITE,
    AdminAction.USER_CHANGE,
    AdminAction.PORTAL_LINK,
}
EACH_CALL = [(action, call) for action, calls in CALLS.items() for call in calls]
WITHIN_AN_ACCOUNT = [(action, call) for action, call in EACH_CALL if action not in OF_THE_PLATFORM]


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")
    verifier = new_verifier("a secret word")
    monkeypatch.setattr(login_passwords, "new_verifier", lambda _: verifier)


async def header_read(context: AdminContext, domain: str) -> object:
    """Read the header of a drill's message of a domain, which need not be there."""
    hosted = context.directory.now.domains.get(domain)
    beginning = DrillBeginning(0 if hosted is None else hosted.id, domain, NOW)
    if hosted is not None:
        await drill_arrival.note_arrived(context.store.retention, beginning)
    arrival = DrillArrival(header=header_of(context, beginning))
    return await drill_arrival.read_arrival(context, domain, arrival)


async def past(context: AdminContext, wanted: releases.ReleaseSelection) -> object:
    return await all_of(releases.list_releases(context, wanted))


def token_id(context: AdminContext, of: Things) -> str:
    """Return the id of the token `one` of an account, or one that is not there."""
    found = context.directory.now.tokens_of(of.account)
    return next((one.id for one in found if one.name == "one"), "unknown000")


async def drained(context: AdminContext, domain: str | None) -> object:
    return list(await drains.last_drains(context, domain))


def past_of(waiting: NewNotice) -> PastNotice:
    return PastNotice(
        0,
        waiting.channel_id,
        "sent-before",
        waiting.facts,
        0,
        NOW,
        is_sent=True,
        failures=0,
        reply="",
    )


def waiting_change(admin: AdminWorld, of: Things) -> ScheduledChange:
    """Return a change of the account's domain."""
    domain = admin.context.directory.now.domains[of.domain]
    maker = ChangeMaker(f"login {of.account}-mail", "192.0.2.1")
    hosts = PartReplacement(domain.authorized_hosts, parse_authorized_hosts(["192.0.2.99"]))
    return ScheduledChange(
        0,
        domain.id,
        of.domain,
        of.account,
        maker,
        NOW,
        NOW + 60,
        authorized_hosts=hosts,
    )


def waiting_notice(admin: AdminWorld, of: Things) -> NewNotice:
    """Return a notice for the account's channel."""
    [hook] = admin.context.directory.now.channels_of(of.account)
    facts = NoticeFacts(NoticeKind.DRAIN_FINISHED, of.account, of.domain, f"of {of.domain}", NOW)
    return NewNotice(hook.id, f"key-{of.account}", facts, 0, NOW)


async def two_accounts() -> AdminWorld:
    """Each with a domain, messages, a report, a login, a token, a user, a channel with a notice."""
    admin = AdminWorld()
    for of in (ALPHA, BETA):
        domain_id = await admin.host(of.domain, of.account)
        await admin.hold(int(of.refused), domain_id, f"y@{of.domain}")
        await admin.refuse(int(of.refused), domain_id, f"y@{of.domain}", "550 5.1.1 no such user")
        await admin.hold(20 + of.report, domain_id, f"z@{of.domain}")
        name = message_name(20 + of.report)
        named = held_mail.NamedMessages(names=(name,), reason="done")
        await bounce.bounce_messages(admin.context, named)
        await admin.hold(int(of.held), domain_id, f"x@{of.domain}")
        secret = SecretStr("a secret word")
        new = logins.NewLogin(user=f"{of.account}-mail", password=secret)
        await logins.add_login(admin.context, of.account, new)
        await ask_for(admin, int(of.release, 16), of.domain, domain_id)
        hook = NewChannel(name="hook", account=of.account, mail="ops@elsewhere.example")
        await channels.add_channel(admin.context, hook)
        waiting = waiting_notice(admin, of)
        await admin.store.notices.keep_notices([waiting], [], [], 100)
        await admin.store.notices.settle_notices([], [past_of(waiting)])
        one = tokens.NewToken(name="one", account=of.account, role=GrantedRole.ACCOUNT_READER)
        await tokens.add_token(admin.context, one)
        await portal_users.invite_user(admin.context, invitation_of(of, f"ana@{of.domain}"))
        await admin.store.schedule.schedule_change(waiting_change(admin, of), NOTED)
    assert [one.number for one in await admin.store.reports.list_reports(ReportFilter())] == [1, 2]
    return admin


async def seen_of(admin: AdminWorld, of: Things) -> list[object]:
    """Everything that an operator sees of an account."""
    context = admin.context
    return [
        accounts.show_account(context, of.account),
        await domains.show_domain(context, of.domain),
        list(await logins.list_logins(context, of.account)),
        list(channels.list_channels(context, of.account)),
        list(await tokens.list_tokens(context, of.account)),
        await portal_users.list_users(context, of.account),
        await all_of(held_mail.list_queue(context, held_mail.QueueSelection(domain=of.domain))),
        await all_of(
            report_queue.list_reports(context, report_queue.ReportSelection(domain=of.domain))
        ),
        await all_of(recipient_lists.list_recipients(context, of.domain)),
        await past(context, releases.ReleaseSelection(domain=of.domain)),
        list(await waiting_changes.list_changes(context, account=of.account)),
        await all_of(auditing.list_audit(context, AuditFilter(account=of.account))),
    ]


def shown(result: object) -> str:
    """Return a result with all that is in it, as text."""
    if isinstance(result, BaseModel):
        return result.model_dump_json()
    if isinstance(result, list):
        return " ".join(map(shown, result))
    return repr(result)


def refusal(error: AdminError | TransferError, of: Things) -> tuple[str, str]:
    text = re.sub("token [a-z0-9]{10}:", "token …:", f"{error.error}; {error.remedy}")
    for name in (of.account, of.held, of.refused, str(of.report), f"'{of.release}'"):
        text = text.replace(name, "…")
    return error.kind if isinstance(error, AdminError) else error.fault, text


def test_every_action_has_a_call_here() -> None:
    assert set(CALLS) == set(AdminAction)


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def starts_with_permit(function: ast.stmt) -> str | None:
    """Return the action that a function asks for in its first statement; None for other code."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    body = [one for one in function.body if not is_text(one)]
    match body[0] if body else None:
        case ast.Expr(
            ast.Call(
                func=ast.Name("permit"), args=[_, ast.Attribute(ast.Name("AdminAction"), name)]
            )
        ):
            return name
    return None


def permitted_functions() -> dict[str, str]:
    """Return the functions that ask the table: `module.function` → action."""
    found = {}
    for package in ("admin", "transfer"):
        for path in (SOURCE / package).glob("*.py"):
            for node in parse_source(path.read_text()).body:
                if action := starts_with_permit(node):
                    found[f"{path.stem}.{getattr(node, 'name', '')}"] = action
    return found


def functions_called_from(package: str) -> set[str]:
    """Return the functions of admin and transfer that a package calls: `module.function`."""
    functions = {
        f"{path.stem}.{node.name}"
        for part in ("admin", "transfer")
        for path in (SOURCE / part).glob("*.py")
        for node in parse_source(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    called = {
        f"{call.func.value.id}.{call.func.attr}"
        for path in (SOURCE / package).rglob("*.py")
        for call in ast.walk(parse_source(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
    }
    return functions & called


def test_every_function_that_the_api_or_a_command_calls_asks_the_table_first() -> None:
    called = functions_called_from("web") | functions_called_from("cli")
    assert len(called) > 40
    assert called - set(permitted_functions()) == set()


# Objects of administration that act without the table, with the reason.
WITHOUT_THE_TABLE = {
    "apply_plan._Planner": "made by `make_plan`, for `apply_configuration`",
    "applying._Run": "made by `apply_configuration`",
    "change_keeper.ChangeKeeper": "the server acts, by the policy of scheduled changes",
    "domain_drill._Drill": "made by `drill_domain`",
    "drill_keeper.DrillKeeper": "the server acts, by the policy of drills",
    "own_credentials.OwnCredentials": "a person changes their own credentials",
    "passkey_service.PasskeyService": "a person changes their own passkeys",
    "portal_links.PortalLinks": "makes links for those whom other functions have permitted",
    "proof_keeper.ProofKeeper": "the server acts, by the policy of domain proofs",
    "provider_sign_in.ProviderSignIn": "a person signs in, or links their own identity",
    "queue_import._Batch": "made by `import_mail`",
    "secret_rotation": "the owner of the key file acts, while no server runs",
    "session_ending": "a person ends their own sessions",
    "sign_in.SignInService": "a person signs in",
    "token_makings._MakingsSearch": "made by `list_makings`",
}


def test_every_other_function_is_only_used_behind_one_that_asks() -> None:
    """A user of such a function has asked the table before, or is known to need it not."""
    permitted, acting = permitted_functions(), acting_functions()
    assert len(acting - set(permitted)) > 50
    found = [
        f"{function} is used by {user}"
        for function, users in users_of(acting).items()
        if function not in permitted
        and not function.startswith(tuple(f"{one}." for one in WITHOUT_THE_TABLE))
        for user in users
        if user not in acting and not user.startswith(tuple(f"{one}." for one in WITHOUT_THE_TABLE))
    ]
    assert sorted(found) == []


def test_every_object_that_acts_without_the_table_is_known() -> None:
    made = {
        f"{path.stem}.{node.name}"
        for path in administration()
        for node in parse_source(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if (takes_context(part) and getattr(part, "name", "") == "__init__")
        or (isinstance(part, ast.AnnAssign) and "AdminContext" in ast.unparse(part.annotation))
    }
    known = {one for one in WITHOUT_THE_TABLE if "." in one}
    assert made == known


def administration() -> Iterator[Path]:
    """Yield the modules of admin and transfer."""
    for package in ("admin", "transfer"):
        yield from sorted((SOURCE / package).glob("*.py"))


def takes_context(node: ast.stmt) -> bool:
    """Tell whether this is a function with an admin context among its parameters."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    given = [*node.args.args, *node.args.kwonlyargs]
    return any("AdminContext" in ast.unparse(one.annotation) for one in given if one.annotation)


def acting_functions() -> set[str]:
    """Return the functions of admin and transfer that act for a principal: `module.function`."""
    return {
        f"{path.stem}.{getattr(node, 'name', '')}"
        for path in administration()
        for node in parse_source(path.read_text()).body
        if takes_context(node)
    }


def users_of(acting: set[str]) -> dict[str, set[str]]:
    """Return the functions and methods, anywhere, that name each of these functions."""
    users: dict[str, set[str]] = {one: set() for one in acting}
    homes = set(administration())
    for path in SOURCE.rglob("*.py"):
        tree = parse_source(path.read_text())
        names = names_of(tree, acting)
        if path in homes:
            own = [one for one in acting if one.startswith(f"{path.stem}.")]
            names |= {one.partition(".")[2]: one for one in own}
        for user, part in parts_of(tree):
            place = f"{path.stem}.{user}"
            place = place if path in homes else f"{path.parent.name}/{place}"
            for node in ast.walk(part):
                if isinstance(node, ast.Name | ast.Attribute):
                    named = names.get(ast.unparse(node))
                    if named:
                        users[named].add(place)
    return users


def names_of(tree: ast.Module, acting: set[str]) -> dict[str, str]:
    """Return the imported names of acting functions, each with `module.function`."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            home = node.module.rpartition(".")[2]
            for alias in node.names:
                own = alias.asname or alias.name
                if f"{home}.{alias.name}" in acting:
                    names[own] = f"{home}.{alias.name}"
                elif node.module in ("restante.admin", "restante.transfer"):
                    of_module = [one for one in acting if one.startswith(f"{alias.name}.")]
                    names |= {f"{own}.{one.partition('.')[2]}": one for one in of_module}
    return names


def parts_of(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield each statement of a module with its name; a class by its methods. No imports."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{getattr(one, 'name', '')}", one) for one in node.body)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield getattr(node, "name", ""), node


def test_every_action_is_asked_for() -> None:
    # The rest are asked for by the fields of a changed domain or channel.
    by_fields = {
        "DOMAIN_CHANGE",
        "DOMAIN_LIMIT",
        "DOMAIN_DIRECT",
        "DOMAIN_AUTHORIZE",
        "DOMAIN_MOVE",
        "CHANNEL_EXPOSE",
    }
    asked = set(permitted_functions().values()) | by_fields
    assert asked == {action.name for action in AdminAction}


def test_messages_and_reports_are_read_within_the_scope_only() -> None:
    readers = ("queue.list_queue", "queue.message(", "reports.list_reports")
    elsewhere = [
        path.name
        for package in ("admin", "transfer")
        for path in (SOURCE / package).glob("*.py")
        if path.name != "scope.py" and any(reader in path.read_text() for reader in readers)
    ]
    assert elsewhere == []


@pytest.mark.parametrize(("action", "call"), EACH_CALL)
@pytest.mark.parametrize("principal", [NOBODY, ALPHA_LOGIN, policy_rule("on-return")])
def test_a_forbidden_action_is_refused_and_changes_nothing(
    action: AdminAction, call: Call, principal: Principal
) -> None:
    async def story() -> None:
        if may(principal, action):
            return
        admin = await two_accounts()
        before = await seen_of(admin, ALPHA)
        with pytest.raises(AdminError) as caught:
            await call(admin.context.acting(principal), ALPHA)
        assert caught.value.kind is ErrorKind.NOT_ALLOWED
        assert caught.value.error.endswith(f": {principal.name} is not allowed to")
        assert await seen_of(admin, ALPHA) == before

    run(story())


@pytest.mark.parametrize(("action", "call"), EACH_CALL)
def test_an_account_may_do_with_its_own_what_the_table_says(
    action: AdminAction, call: Call
) -> None:
    async def story() -> None:
        admin = await two_accounts()
        if action in GRANTED[GrantedRole.ACCOUNT_ADMIN]:
            result = await call(admin.context.acting(ALPHA_LOGIN), ALPHA)
            assert "beta" not in shown(result)

    run(story())


@pytest.mark.parametrize(("action", "call"), WITHIN_AN_ACCOUNT)
def test_an_account_never_reaches_anothers_things_even_if_the_table_allowed_all(
    action: AdminAction, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "may", lambda *_: True)

    async def story() -> None:
        admin = await two_accounts()
        before = await seen_of(admin, BETA)
        context = admin.context.acting(ALPHA_LOGIN)
        answers = []
        for of in (BETA, UNKNOWN):
            try:
                result = await call(context, of)
            except (AdminError, TransferError) as error:
                answers.append(refusal(error, of))
            else:
                assert "beta" not in shown(result).replace(f"new@{of.domain}", "")
        assert {kind for kind, _ in answers} <= {ErrorKind.NOT_FOUND, TransferFault.MISSING}
        assert len(set(answers)) <= 1, "another's thing is answered like a missing one"
        assert await seen_of(admin, BETA) == before

    run(story())


def holder(
    grant: Grant, account: str = "alpha", domains: frozenset[str] | None = None
) -> Principal:
    """Return the principal of a token that has one grant."""
    is_operator = isinstance(grant, GrantedRole) and grant.is_of_operators
    return Principal(
        Role.OPERATOR if is_operator else Role.ACCOUNT,
        actor_named("token t"),
        "192.0.2.1",
        "" if is_operator else account,
        (frozenset({grant}),),
        domains,
    )


OF_ACCOUNTS = [one for one in ALL_GRANTS if holder(one).role is Role.ACCOUNT]


@pytest.mark.parametrize("grant", ALL_GRANTS)
def test_each_grant_allows_just_the_calls_of_its_actions(grant: Grant) -> None:
    """A function that is allowed never fails because it calls one that is not."""

    async def story() -> None:
        admin = await two_accounts()
        principal = holder(grant)
        for action, call in EACH_CALL:
            try:
                result = await call(admin.context.acting(principal), ALPHA)
            except (AdminError, TransferError, StoreError) as error:
                is_refused = isinstance(error, AdminError) and error.kind is ErrorKind.NOT_ALLOWED
                is_above = action in GIVES_RIGHTS and "exceeds" in str(error)
                assert is_refused == (is_above or not may(principal, action)), action
            else:
                assert may(principal, action), action
                if principal.role is Role.ACCOUNT:
                    assert "beta" not in shown(result), action

    run(story())


@pytest.mark.parametrize("grant", OF_ACCOUNTS)
def test_a_foreign_thing_is_answered_like_an_unknown_one_whatever_is_granted(grant: Grant) -> None:
    async def story() -> None:
        admin = await two_accounts()
        before = await seen_of(admin, BETA)
        context = admin.context.acting(holder(grant))
        for action, call in WITHIN_AN_ACCOUNT:
            answers = set()
            for of in (BETA, UNKNOWN):
                try:
                    result = await call(context, of)
                except (AdminError, TransferError) as error:
                    answers.add(refusal(error, of))
                else:
                    assert "beta" not in shown(result), action
            assert len(answers) <= 1, action
        assert await seen_of(admin, BETA) == before

    run(story())


# A principal with a list of domains: the account's other domain is as foreign as another account's.


async def account_with_two_domains() -> AdminWorld:
    """Beta's domain goes to alpha."""
    admin = await two_accounts()
    move = DomainChange(account="alpha")
    await domains.change_domain(admin.context, BETA.domain, move)
    return admin


@pytest.mark.parametrize("role", [Role.ACCOUNT, Role.OPERATOR])
@pytest.mark.parametrize(("action", "call"), WITHIN_AN_ACCOUNT)
def test_a_list_of_domains_hides_all_others(action: AdminAction, call: Call, role: Role) -> None:
    """Also those of the same account."""

    async def story() -> None:
        admin = await account_with_two_domains()
        before = await seen_of(admin, BETA)
        account = "alpha" if role is Role.ACCOUNT else ""
        limited = Principal(
            role,
            actor_named("token t"),
            "",
            account,
            domains=frozenset({ALPHA.domain, "gone.example"}),
        )
        if not may(limited, action):
            return
        answers = []
        for of in (BETA, UNKNOWN):
            try:
                result = await call(admin.context.acting(limited), of)
            except (AdminError, TransferError) as error:
                answers.append(refusal(error, of))
            else:
                assert "beta" not in shown(result).replace(f"new@{of.domain}", "")
        assert {kind for kind, _ in answers} <= {ErrorKind.NOT_FOUND, TransferFault.MISSING}
        assert len(set(answers)) <= 1
        assert await seen_of(admin, BETA) == before

    run(story())


OF_A_DOMAIN = {
    AdminAction.DOMAIN_SHOW,
    AdminAction.DOMAIN_CHANGE,
    AdminAction.RECIPIENTS_CHANGE,
    AdminAction.QUEUE_SHOW,
    AdminAction.QUEUE_DELETE,
    AdminAction.QUEUE_BOUNCE,
    AdminAction.TRACE,
    AdminAction.REPORTS_SHOW,
    AdminAction.DRAIN_STOP,
    AdminAction.CONTENT_READ,
}


@pytest.mark.parametrize(("action", "call"), [one for one in EACH_CALL if one[0] in OF_A_DOMAIN])
def test_a_list_of_domains_allows_what_concerns_these(action: AdminAction, call: Call) -> None:
    async def story() -> None:
        admin = await account_with_two_domains()
        limited = Principal(
            Role.ACCOUNT, actor_named("token t"), "", "alpha", domains=frozenset({ALPHA.domain})
        )
        result = await call(admin.context.acting(limited), ALPHA)
        assert "beta" not in shown(result)

    run(story())


def test_nothing_of_the_account_as_a_whole_exists_behind_a_list_of_domains() -> None:
    async def story() -> None:
        admin = await account_with_two_domains()
        limited = Principal(
            Role.ACCOUNT, actor_named("token t"), "", "alpha", domains=frozenset({ALPHA.domain})
        )
        context = admin.context.acting(limited)
        assert list(accounts.list_accounts(context)) == []
        assert list(channels.list_channels(context)) == []
        assert await all_of(channels.list_waiting(context)) == []
        assert list(await tokens.list_tokens(context)) == []
        assert [one.name for one in await domains.list_domains(context)] == [ALPHA.domain]
        entries = await all_of(auditing.list_audit(context))
        assert {one.domain for one in entries} == {ALPHA.domain}
        with pytest.raises(AdminError) as caught:
            accounts.show_account(context, "alpha")
        assert caught.value.kind is ErrorKind.NOT_FOUND
        with pytest.raises(AdminError) as caught:
            await logins.list_logins(context, "alpha")
        assert caught.value.kind is ErrorKind.NOT_FOUND

    run(story())


def test_a_domain_of_the_list_that_left_the_account_is_foreign() -> None:
    async def story() -> None:
        admin = await two_accounts()
        limited = Principal(
            Role.ACCOUNT,
            actor_named("token t"),
            "",
            "alpha",
            domains=frozenset({ALPHA.domain, BETA.domain}),
        )
        shown_domains = await domains.list_domains(admin.context.acting(limited))
        assert [one.name for one in shown_domains] == [ALPHA.domain]

    run(story())


def test_every_set_of_grants_must_allow_an_action() -> None:
    own, of_maker = frozenset({GrantedRole.ACCOUNT_ADMIN}), frozenset({Scope.QUEUE_READ})
    made = Principal(Role.ACCOUNT, actor_named("token t"), "", "alpha", (own, of_maker))
    assert may(made, AdminAction.QUEUE_LIST)
    assert not may(made, AdminAction.QUEUE_DELETE)
    nothing = Principal(Role.OPERATOR, actor_named("token t"), "", "", (frozenset(),))
    assert not any(may(nothing, action) for action in AdminAction)


def test_each_action_is_in_a_scope() -> None:
    assert actions_of(Scope) == set(AdminAction)


def test_no_grant_of_an_account_sets_limits_or_concerns_the_platform() -> None:
    of_operators = {
        AdminAction.ACCOUNT_ADD,
        AdminAction.ACCOUNT_CHANGE,
        AdminAction.ACCOUNT_REMOVE,
        AdminAction.DOMAIN_ADD,
        AdminAction.DOMAIN_LIMIT,
        AdminAction.DOMAIN_MOVE,
        AdminAction.DOMAIN_REMOVE,
        AdminAction.CHANGE_APPLY,
        AdminAction.CHANNEL_EXPOSE,
        AdminAction.QUEUE_DELETE_LEFT,
        AdminAction.CONTENT_IMPORT,
        AdminAction.PERSON_EXPORT,
        AdminAction.PERSON_ERASE,
        AdminAction.SECRETS_EXPORT,
        AdminAction.SERVER_STATUS,
        AdminAction.SERVER_METRICS,
        AdminAction.SESSION_TRACE,
        AdminAction.STORE_BACKUP,
        AdminAction.STORE_CHECK,
        AdminAction.STORE_SALVAGE,
        AdminAction.STORE_UPGRADE,
        AdminAction.STORE_MOVE,
        AdminAction.NODE_LIST,
        AdminAction.NODE_RETIRE,
        AdminAction.NODE_REMOVE,
    }
    everything = Principal(
        Role.ACCOUNT, actor_named("token t"), "", "alpha", (frozenset(ALL_GRANTS),)
    )
    assert {action for action in AdminAction if not may(everything, action)} == of_operators


@pytest.mark.parametrize("role", GrantedRole)
def test_no_role_has_the_content_of_mail(role: GrantedRole) -> None:
    assert not GRANTED[role] & {AdminAction.CONTENT_READ, AdminAction.CONTENT_EXPORT}


def test_a_reader_only_reads() -> None:
    verbs = {action.text.split()[0] for action in GRANTED[GrantedRole.OPERATOR_READER]}
    assert verbs == {"follow", "list", "show", "trace"}
    assert GRANTED[GrantedRole.ACCOUNT_READER] < GRANTED[GrantedRole.OPERATOR_READER]


def test_an_account_operator_suspends_and_resumes_but_sets_no_policy() -> None:
    async def story() -> None:
        admin = await two_accounts()
        context = admin.context.acting(holder(GrantedRole.ACCOUNT_OPERATOR))
        for fields in ({"hold": "suspended", "reason": "moving"}, {"hold": "until-asked"}):
            change = DomainChange.model_validate(fields)
            done = await domains.change_domain(context, ALPHA.domain, change)
            assert done.changes
        for fields in ({"hold": "relay"}, {"accept": "always"}):
            with pytest.raises(AdminError) as caught:
                await domains.change_domain(
                    context, ALPHA.domain, DomainChange.model_validate(fields)
                )
            assert caught.value.kind is ErrorKind.NOT_ALLOWED

    run(story())


def test_a_domain_that_is_not_in_scope_cannot_be_asked_for_by_its_number() -> None:
    async def story() -> None:
        admin = await two_accounts()
        context = admin.context.acting(ALPHA_LOGIN)
        foreign = (admin.context.directory.now.domains[BETA.domain].id,)
        assert await scope.list_held(context, QueueFilter(domain_ids=foreign)) == []
        assert await scope.list_waiting_reports(context, ReportFilter(domain_ids=foreign)) == []

    run(story())


def test_a_stolen_password_moves_mail_nowhere_else() -> None:
    elsewhere = {
        AdminAction.DOMAIN_DIRECT,
        AdminAction.DOMAIN_AUTHORIZE,
        AdminAction.CONTENT_READ,
        AdminAction.CONTENT_EXPORT,
        AdminAction.CONTENT_IMPORT,
    }
    assert GRANTED[GrantedRole.ACCOUNT_ADMIN] & elsewhere == set()


def test_a_drain_is_listed_for_its_account_only() -> None:
    async def story() -> None:
        admin = await two_accounts()
        shown = [
            [
                one.domain
                for one in (await drains.list_drains(admin.context.acting(principal))).views
            ]
            for principal in (admin.context.principal, ALPHA_LOGIN, BETA_LOGIN)
        ]
        assert shown == [["alpha.example"], ["alpha.example"], []]

    run(story())


def test_a_release_carries_the_principal() -> None:
    async def story() -> None:
        admin = await two_accounts()
        order = operator_release.ReleaseOrder(targets=(BETA.domain,))
        await operator_release.release(admin.context.acting(ALPHA_LOGIN), order)
        assert isinstance(admin.server, FakeServer)
        assert admin.server.principals == [ALPHA_LOGIN]

    run(story())


def test_the_operators_own_channels_do_not_exist_for_an_account() -> None:
    async def story() -> None:
        admin = await two_accounts()
        await channels.add_channel(
            admin.context, NewChannel(name="own", account="", mail="ops@elsewhere.example")
        )
        context = admin.context.acting(ALPHA_LOGIN)
        assert [one.name for one in channels.list_channels(context)] == ["hook"]
        for work in (
            channels.try_channel(context, "", "own"),
            channels.remove_channel(context, "", "own", "test"),
            all_of(channels.list_waiting(context, "")),
        ):
            with pytest.raises(AdminError) as caught:
                await work
            assert caught.value.kind is ErrorKind.NOT_FOUND
        added = await channels.add_channel(
            context, NewChannel(name="two", account="", mail="ops@elsewhere.example")
        )
        assert added.account == ALPHA_LOGIN.account

    run(story())


def test_every_field_of_a_changed_domain_needs_an_action_that_suits_it() -> None:
    def needs(name: str) -> bool:
        try:
            permit_fields(ALPHA_LOGIN, [name])
        except AdminError:
            return True
        return False

    of_the_operator = {name for name in DomainChange.model_fields if needs(name)}
    assert of_the_operator == {
        "account",
        "destination",
        "private_destination",
        "tls",
        "tls_ca",
        "tls_pins",
        "pin_now",
        "destination_login",
        "destination_password",
        "client_address",
        "connections",
        "per_minute",
        "quota",
        "quota_messages",
        "message_size",
        "change_lock",
        "proof",
        "turnaround",
        "allow",
        "add_allow",
        "drop_allow",
    }


def test_a_domain_that_moved_does_not_tell_where_it_was() -> None:
    async def story() -> None:
        admin = await two_accounts()
        await domains.change_domain(
            admin.context, BETA.domain, DomainChange(account="alpha", connections=2)
        )
        entries = await all_of(auditing.list_audit(admin.context.acting(ALPHA_LOGIN)))
        assert [one.field for one in entries[0].changes] == ["destination.connections"]

    run(story())


def test_the_audit_trail_has_the_principal() -> None:
    async def story() -> None:
        admin = await two_accounts()
        change = DomainChange.model_validate({"hold": "relay"})
        await domains.change_domain(admin.context.acting(ALPHA_LOGIN), ALPHA.domain, change)
        [entry] = await admin.store.audit.audit(limit=1)
        assert (entry.actor, entry.acted_from, entry.account) == (
            "login alpha-mail",
            "192.0.2.1",
            "alpha",
        )

    run(story())


def test_an_operator_is_named_by_the_user_of_the_machine() -> None:
    assert operator(0, CONTROL_SOCKET) == Principal(
        Role.OPERATOR, actor_named("operator root"), CONTROL_SOCKET
    )
    assert operator(4_000_000, COMMAND_LINE).name == "operator uid:4000000"


def test_no_account_owns_the_empty_name() -> None:
    assert not Principal(Role.ACCOUNT, actor_named("login x"), "", account="").sees("")


def test_content_needs_a_reason_and_leaves_an_entry_under_the_name_of_the_token() -> None:
    async def story() -> None:
        admin = await two_accounts()
        context = admin.context.acting(holder(Scope.CONTENT_READ))
        entries = len(await admin.store.audit.audit())
        for work in (
            queue_content.read_content(context, ALPHA.held),
            queue_content.export_mail(context, queue_content.ExportOrder(names=(ALPHA.held,))),
        ):
            with pytest.raises(AdminError) as caught:
                await work
            assert caught.value.kind is ErrorKind.USAGE
        assert len(await admin.store.audit.audit()) == entries
        await queue_content.read_content(context, ALPHA.held, "a lost order")
        [entry] = await admin.store.audit.audit(limit=1)
        assert (entry.action, entry.actor, entry.reason) == (
            AuditAction.CONTENT_READ,
            "token t",
            "a lost order",
        )

    run(story())
