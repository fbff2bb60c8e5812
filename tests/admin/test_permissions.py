"""Each function of administration asks the one table, and no account reaches another's things."""

import ast
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

import restante
from restante.admin import (
    accounts,
    bounce,
    channels,
    domains,
    drains,
    held_mail,
    hold_again,
    logins,
    mail_search,
    permissions,
    recipient_lists,
    release_requests,
    releases,
    report_queue,
    scope,
    server_status,
    store_maintenance,
    trail,
)
from restante.admin.admin_context import AdminContext, operator
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import ChannelChange, NewChannel
from restante.admin.domain_change import DomainChange, NewDomain
from restante.admin.mail_search import TraceSelection
from restante.admin.permissions import PERMITTED, AdminAction, permit_fields
from restante.mail.import_stream import WHOLE, pack_block, pack_label
from restante.mail.message import message_name
from restante.sasl.scram_keys import new_verifier
from restante.store.mail_queue import QueueFilter
from restante.store.mail_reports import ReportFilter
from restante.tenancy.audit import AuditFilter
from restante.tenancy.notice import NoticeKind
from restante.tenancy.principal import (
    COMMAND_LINE,
    CONTROL_SOCKET,
    NOBODY,
    Principal,
    Role,
    account_login,
    policy_rule,
)
from restante.transfer import queue_content, queue_import
from restante.transfer.import_arrival import ImportLabel
from restante.transfer.transfer_error import TransferError, TransferFault
from tests.admin.desk import HEAD, Desk, FakeServer, all_of, ask_for, run

SOURCE = Path(restante.__file__).parent
SOURCE_URL = f"sqlite://{SOURCE}"
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
        queue_content.ExportOrder(names=(of.held,)),
        queue_content.ExportOrder(selection=held_mail.QueueSelection(domain=of.domain)),
    )
    return [
        [octets async for octets in await queue_content.export_mail(context, order)]
        for order in orders
    ]


def added_channel(of: Things) -> NewChannel:
    return NewChannel(name="two", account=of.account, mail="ops@elsewhere.example")


CALLS: dict[AdminAction, list[Call]] = {
    AdminAction.ACCOUNT_ADD: [
        lambda c, of: accounts.add_account(c, accounts.NewAccount(name=f"{of.account}2"))
    ],
    AdminAction.ACCOUNT_LIST: [at_once(lambda c, _: accounts.list_accounts(c))],
    AdminAction.ACCOUNT_SHOW: [at_once(lambda c, of: accounts.show_account(c, of.account))],
    AdminAction.ACCOUNT_CHANGE: [
        lambda c, of: accounts.change_account(c, of.account, accounts.AccountChange(note="x"))
    ],
    AdminAction.ACCOUNT_REMOVE: [lambda c, of: accounts.remove_account(c, of.account, "left")],
    AdminAction.LOGIN_ADD: [
        lambda c, of: logins.add_login(
            c, of.account, logins.NewLogin(user="another", password=SecretStr("secret word"))
        )
    ],
    AdminAction.LOGIN_LIST: [at_once(lambda c, of: logins.list_logins(c, of.account))],
    AdminAction.LOGIN_CHANGE: [
        lambda c, of: logins.change_login(
            c, of.account, f"{of.account}-mail", logins.LoginChange(cram_md5=False)
        )
    ],
    AdminAction.LOGIN_REMOVE: [
        lambda c, of: logins.remove_login(c, of.account, f"{of.account}-mail", "left")
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
    AdminAction.DOMAIN_SHOW: [lambda c, of: domains.show_domain(c, of.domain)],
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
    AdminAction.RECIPIENTS_LIST: [
        lambda c, of: all_of(recipient_lists.list_recipients(c, of.domain))
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
    ],
    AdminAction.QUEUE_SHOW: [lambda c, of: held_mail.show_message(c, of.held)],
    AdminAction.QUEUE_DELETE: [lambda c, of: held_mail.delete_messages(c, of.both)],
    AdminAction.QUEUE_BOUNCE: [lambda c, of: bounce.bounce_messages(c, of.both)],
    AdminAction.QUEUE_RELEASE: [
        lambda c, of: hold_again.hold_again(
            c, hold_again.MessagesToHoldAgain(names=of.both.names, reason="test")
        )
    ],
    AdminAction.CONTENT_READ: [lambda c, of: queue_content.read_content(c, of.held)],
    AdminAction.CONTENT_EXPORT: [exported],
    AdminAction.CONTENT_IMPORT: [
        imported,
        lambda c, of: queue_import.digest_content(c, queue_import.DigestOrder(names=(of.held,))),
    ],
    AdminAction.TRACE: [
        lambda c, of: mail_search.trace(c, TraceSelection(domain=of.domain)),
        lambda c, of: mail_search.trace(c, TraceSelection(name=of.held)),
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
        at_once(lambda c, _: channels.list_channels(c)),
    ],
    AdminAction.CHANNEL_CHANGE: [
        lambda c, of: channels.change_channel(
            c, of.account, "hook", ChannelChange(kinds=(NoticeKind.DRAIN_FINISHED,)), "test"
        )
    ],
    AdminAction.CHANNEL_REMOVE: [
        lambda c, of: channels.remove_channel(c, of.account, "hook", "test")
    ],
    AdminAction.CHANNEL_TEST: [lambda c, of: channels.try_channel(c, of.account, "hook")],
    AdminAction.NOTICES_LIST: [
        lambda c, of: all_of(channels.list_waiting(c, of.account)),
        lambda c, _: all_of(channels.list_waiting(c)),
    ],
    AdminAction.RELEASE: [
        lambda c, of: release_requests.release(c, release_requests.ReleaseOrder(nodes=(of.domain,)))
    ],
    AdminAction.RELEASE_LIST: [
        lambda c, of: past(c, releases.ReleaseSelection(domain=of.domain)),
        lambda c, of: past(c, releases.ReleaseSelection(account=of.account)),
        lambda c, _: past(c, releases.ReleaseSelection()),
        lambda c, of: releases.show_release(c, of.release),
    ],
    AdminAction.DRAIN_LIST: [
        at_once(lambda c, _: drains.list_drains(c)),
        lambda c, _: drained(c, None),
        lambda c, of: drained(c, of.domain),
    ],
    AdminAction.DRAIN_STOP: [
        lambda c, of: drains.stop_drain(c, of.domain, drains.DrainStop(reason="test"))
    ],
    AdminAction.AUDIT_LIST: [
        lambda c, of: all_of(trail.list_audit(c, AuditFilter(account=of.account))),
        lambda c, of: all_of(trail.list_audit(c, AuditFilter(domain=of.domain))),
        lambda c, _: all_of(trail.list_audit(c)),
    ],
    AdminAction.SERVER_STATUS: [lambda c, _: server_status.show_status(c)],
    AdminAction.SERVER_METRICS: [lambda c, _: server_status.show_metrics(c, "")],
    AdminAction.STORE_BACKUP: [
        lambda c, _: store_maintenance.backup(
            c, store_maintenance.BackupOrder(directory="/nonexistent/x")
        )
    ],
    AdminAction.STORE_CHECK: [
        at_once(lambda c, _: store_maintenance.check(c.principal, SOURCE_URL, lambda *_: None))
    ],
    AdminAction.STORE_SALVAGE: [
        at_once(
            lambda c, _: store_maintenance.salvage(c.principal, SOURCE_URL, SOURCE, lambda _: None)
        )
    ],
}
# These concern the platform as a whole: an account's things and another's cannot be told apart.
OF_THE_PLATFORM = {
    AdminAction.SERVER_STATUS,
    AdminAction.SERVER_METRICS,
    AdminAction.STORE_BACKUP,
    AdminAction.STORE_CHECK,
    AdminAction.STORE_SALVAGE,
    AdminAction.ACCOUNT_ADD,
    AdminAction.RELEASE,  # the releaser decides: tests/release/test_authorization.py
}
EACH_CALL = [(action, call) for action, calls in CALLS.items() for call in calls]
WITHIN_AN_ACCOUNT = [(action, call) for action, call in EACH_CALL if action not in OF_THE_PLATFORM]


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "hash_password", lambda password: f"hash of {password}")
    verifier = new_verifier("a secret word")
    monkeypatch.setattr(logins, "new_verifier", lambda _: verifier)


async def past(context: AdminContext, wanted: releases.ReleaseSelection) -> object:
    return list(await releases.list_releases(context, wanted))


async def drained(context: AdminContext, domain: str | None) -> object:
    return list(await drains.last_drains(context, domain))


async def two_accounts() -> Desk:
    """Each with a domain, a held and a refused message, a report, a login and a channel."""
    desk = Desk()
    for of in (ALPHA, BETA):
        domain_id = await desk.host(of.domain, of.account)
        await desk.hold(int(of.refused), domain_id, f"y@{of.domain}")
        await desk.refuse(int(of.refused), domain_id, f"y@{of.domain}", "550 5.1.1 no such user")
        await desk.hold(20 + of.report, domain_id, f"z@{of.domain}")
        name = message_name(20 + of.report)
        named = held_mail.NamedMessages(names=(name,), reason="done")
        await bounce.bounce_messages(desk.context, named)
        await desk.hold(int(of.held), domain_id, f"x@{of.domain}")
        secret = SecretStr("a secret word")
        new = logins.NewLogin(user=f"{of.account}-mail", password=secret)
        await logins.add_login(desk.context, of.account, new)
        await ask_for(desk, int(of.release, 16), of.domain, domain_id)
        hook = NewChannel(name="hook", account=of.account, mail="ops@elsewhere.example")
        await channels.add_channel(desk.context, hook)
    assert [one.number for one in await desk.store.reports.list_reports(ReportFilter())] == [1, 2]
    return desk


async def seen_of(desk: Desk, of: Things) -> list[object]:
    """Everything that an operator sees of an account."""
    context = desk.context
    return [
        accounts.show_account(context, of.account),
        await domains.show_domain(context, of.domain),
        list(logins.list_logins(context, of.account)),
        list(channels.list_channels(context, of.account)),
        await all_of(held_mail.list_queue(context, held_mail.QueueSelection(domain=of.domain))),
        await all_of(
            report_queue.list_reports(context, report_queue.ReportSelection(domain=of.domain))
        ),
        await all_of(recipient_lists.list_recipients(context, of.domain)),
        await past(context, releases.ReleaseSelection(domain=of.domain)),
        await all_of(trail.list_audit(context, AuditFilter(account=of.account))),
    ]


def shown(result: object) -> str:
    """Return a result with all that is in it, as text."""
    if isinstance(result, BaseModel):
        return result.model_dump_json()
    if isinstance(result, list):
        return " ".join(map(shown, result))
    return repr(result)


def refusal(error: AdminError | TransferError, of: Things) -> tuple[str, str]:
    text = f"{error.error}; {error.remedy}"
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
            for node in ast.parse(path.read_text()).body:
                if action := starts_with_permit(node):
                    found[f"{path.stem}.{getattr(node, 'name', '')}"] = action
    return found


def functions_called_from(package: str) -> set[str]:
    """Return the functions of admin and transfer that a package calls: `module.function`."""
    functions = {
        f"{path.stem}.{node.name}"
        for part in ("admin", "transfer")
        for path in (SOURCE / part).glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    called = {
        f"{call.func.value.id}.{call.func.attr}"
        for path in (SOURCE / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
    }
    return functions & called


def test_every_function_that_the_api_or_a_command_calls_asks_the_table_first() -> None:
    called = functions_called_from("web") | functions_called_from("cli")
    assert len(called) > 40
    assert called - set(permitted_functions()) == set()


def test_every_action_is_asked_for() -> None:
    # The rest are asked for by the fields of a changed domain.
    by_fields = {"DOMAIN_LIMIT", "DOMAIN_DIRECT", "DOMAIN_AUTHORIZE", "DOMAIN_MOVE"}
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
def test_what_the_table_does_not_allow_is_refused_and_changes_nothing(
    action: AdminAction, call: Call, principal: Principal
) -> None:
    async def story() -> None:
        if action in PERMITTED[principal.role]:
            return
        desk = await two_accounts()
        before = await seen_of(desk, ALPHA)
        with pytest.raises(AdminError) as caught:
            await call(desk.context.acting(principal), ALPHA)
        assert caught.value.kind is ErrorKind.NOT_ALLOWED
        assert caught.value.error.endswith(f": {principal.name} is not allowed to")
        assert await seen_of(desk, ALPHA) == before

    run(story())


@pytest.mark.parametrize(("action", "call"), EACH_CALL)
def test_an_account_may_do_with_its_own_what_the_table_says(
    action: AdminAction, call: Call
) -> None:
    async def story() -> None:
        desk = await two_accounts()
        if action in PERMITTED[Role.ACCOUNT]:
            result = await call(desk.context.acting(ALPHA_LOGIN), ALPHA)
            assert "beta" not in shown(result)

    run(story())


@pytest.mark.parametrize(("action", "call"), WITHIN_AN_ACCOUNT)
def test_an_account_never_reaches_anothers_things_even_if_the_table_allowed_all(
    action: AdminAction, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = dict.fromkeys(Role, frozenset(AdminAction))
    monkeypatch.setattr(permissions, "PERMITTED", everything)

    async def story() -> None:
        desk = await two_accounts()
        before = await seen_of(desk, BETA)
        context = desk.context.acting(ALPHA_LOGIN)
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
        assert await seen_of(desk, BETA) == before

    run(story())


def test_a_domain_that_is_not_in_scope_cannot_be_asked_for_by_its_number() -> None:
    async def story() -> None:
        desk = await two_accounts()
        context = desk.context.acting(ALPHA_LOGIN)
        foreign = (desk.context.directory.now.domains[BETA.domain].id,)
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
    assert PERMITTED[Role.ACCOUNT] & elsewhere == set()


def test_a_drain_is_listed_for_its_account_only() -> None:
    async def story() -> None:
        desk = await two_accounts()
        shown = [
            [one.domain for one in drains.list_drains(desk.context.acting(principal))]
            for principal in (desk.context.principal, ALPHA_LOGIN, BETA_LOGIN)
        ]
        assert shown == [["alpha.example"], ["alpha.example"], []]

    run(story())


def test_a_release_carries_the_principal() -> None:
    async def story() -> None:
        desk = await two_accounts()
        order = release_requests.ReleaseOrder(nodes=(BETA.domain,))
        await release_requests.release(desk.context.acting(ALPHA_LOGIN), order)
        assert isinstance(desk.server, FakeServer)
        assert desk.server.principals == [ALPHA_LOGIN]

    run(story())


def test_the_operators_own_channels_do_not_exist_for_an_account() -> None:
    async def story() -> None:
        desk = await two_accounts()
        await channels.add_channel(
            desk.context, NewChannel(name="own", account="", mail="ops@elsewhere.example")
        )
        context = desk.context.acting(ALPHA_LOGIN)
        assert [one.name for one in channels.list_channels(context)] == ["hook"]
        for work in (
            channels.try_channel(context, "", "own"),
            channels.remove_channel(context, "", "own", "test"),
            channels.add_channel(
                context, NewChannel(name="two", account="", mail="ops@elsewhere.example")
            ),
            all_of(channels.list_waiting(context, "")),
        ):
            with pytest.raises(AdminError) as caught:
                await work
            assert caught.value.kind is ErrorKind.NOT_FOUND

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
        "tls",
        "tls_ca",
        "tls_pins",
        "pin_now",
        "destination_login",
        "destination_password",
        "connections",
        "per_minute",
        "quota",
        "quota_messages",
        "message_size",
        "allow",
        "add_allow",
        "drop_allow",
    }


def test_a_domain_that_moved_does_not_tell_where_it_was() -> None:
    async def story() -> None:
        desk = await two_accounts()
        await domains.change_domain(
            desk.context, BETA.domain, DomainChange(account="alpha", connections=2)
        )
        entries = await all_of(trail.list_audit(desk.context.acting(ALPHA_LOGIN)))
        assert [one.field for one in entries[0].changes] == ["destination.connections"]

    run(story())


def test_the_audit_trail_has_the_principal() -> None:
    async def story() -> None:
        desk = await two_accounts()
        change = DomainChange.model_validate({"hold": "relay"})
        await domains.change_domain(desk.context.acting(ALPHA_LOGIN), ALPHA.domain, change)
        [entry] = await desk.store.trail.audit(limit=1)
        assert (entry.actor, entry.origin, entry.account) == (
            "login alpha-mail",
            "192.0.2.1",
            "alpha",
        )

    run(story())


def test_an_operator_is_named_by_the_user_of_the_machine() -> None:
    assert operator(0, CONTROL_SOCKET) == Principal(Role.OPERATOR, "operator root", CONTROL_SOCKET)
    assert operator(4_000_000, COMMAND_LINE).name == "operator uid:4000000"


def test_no_account_owns_the_empty_name() -> None:
    assert not Principal(Role.ACCOUNT, "login x", "", account="").sees("")
