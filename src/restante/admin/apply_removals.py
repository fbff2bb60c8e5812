"""The removal of things that a configuration does not name."""

from collections.abc import Iterator
from functools import partial

from restante.admin.accounts import remove_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_steps import ApplyOptions, ApplyStage, ApplyStep, ApplyVerb, PruneScope
from restante.admin.channels import remove_channel
from restante.admin.configuration_entries import WantedRecords
from restante.admin.domains import holds_mail, remove_domain
from restante.admin.logins import remove_login
from restante.admin.permissions import AdminAction, permit
from restante.tenancy.model import Account, HostedDomain, Login
from restante.tenancy.notice import Channel
from restante.tenancy.record_change import changes_between


def accounts_in_scope(context: AdminContext, wanted: WantedRecords, prune: PruneScope) -> list[str]:
    """Return the accounts whose unnamed things go; "" for the operator's own channels."""
    if prune is PruneScope.NOTHING:
        return []
    names = wanted.named_accounts
    if prune is PruneScope.ACCOUNTS:
        names |= {"", *context.directory.now.accounts}
    return sorted(filter(context.principal.sees, names))


def removals(
    context: AdminContext, wanted: WantedRecords, options: ApplyOptions
) -> Iterator[ApplyStep]:
    """Yield the steps that remove what is not named. Raises AdminError."""
    directory, reason = context.directory.now, options.reason
    for account in accounts_in_scope(context, wanted, options.prune):
        for channel in directory.channels_of(account):
            if (account, channel.name) not in wanted.channels:
                yield channel_removal(context, channel, ApplyStage.REMOVE_PARTS, reason)
        for login in directory.logins_of(account):
            entry = wanted.logins.get(login.user)
            if entry is None:
                yield _login_removal(context, login, ApplyStage.REMOVE_PARTS, reason)
            elif entry.account != account:
                yield _login_removal(context, login, ApplyStage.MAKE_ROOM, reason)
        stuck: AdminError | None = None
        for domain in directory.domains_of(account):
            if domain.name not in wanted.domains:
                step = _domain_removal(context, domain, reason)
                stuck = stuck or step.obstacle
                yield step
        unnamed = options.prune is PruneScope.ACCOUNTS and account not in wanted.named_accounts
        if unnamed and account in directory.accounts:
            yield _account_removal(context, directory.accounts[account], reason, stuck)


def is_leaving(context: AdminContext, wanted: WantedRecords, prune: PruneScope, user: str) -> bool:
    """Return whether the account that has a user name now loses it by this configuration."""
    present, entry = context.directory.now.logins.get(user), wanted.logins[user]
    if present is None or present.account == entry.account:
        return False
    return present.account in accounts_in_scope(context, wanted, prune)


def channel_removal(
    context: AdminContext, channel: Channel, stage: ApplyStage, reason: str
) -> ApplyStep:
    """Return the step that removes a channel. Raises AdminError."""
    permit(context.principal, AdminAction.CHANNEL_REMOVE)
    return ApplyStep(
        stage,
        ApplyVerb.REMOVE,
        "channel",
        channel.name,
        channel.account,
        changes_between(channel, None),
        partial(remove_channel, context, channel.account, channel.name, reason),
    )


def _login_removal(
    context: AdminContext, login: Login, stage: ApplyStage, reason: str
) -> ApplyStep:
    permit(context.principal, AdminAction.LOGIN_REMOVE)
    return ApplyStep(
        stage,
        ApplyVerb.REMOVE,
        "login",
        login.user,
        login.account,
        changes_between(login, None),
        partial(remove_login, context, login.account, login.user, reason),
    )


def _domain_removal(context: AdminContext, domain: HostedDomain, reason: str) -> ApplyStep:
    permit(context.principal, AdminAction.DOMAIN_REMOVE)
    held = context.store.figures.usage(domain.id).messages
    return ApplyStep(
        ApplyStage.REMOVE_DOMAINS,
        ApplyVerb.REMOVE,
        "domain",
        domain.name,
        domain.account,
        changes_between(domain, None),
        partial(remove_domain, context, domain.name, reason),
        holds_mail(domain.name, held) if held else None,
    )


def _account_removal(
    context: AdminContext, account: Account, reason: str, stuck: AdminError | None
) -> ApplyStep:
    permit(context.principal, AdminAction.ACCOUNT_REMOVE)
    obstacle = None
    if stuck is not None:
        error = f"account {account.name}: has a domain that holds mail"
        obstacle = AdminError(ErrorKind.CONFLICT, error, "release or delete its mail first")
    return ApplyStep(
        ApplyStage.REMOVE_ACCOUNTS,
        ApplyVerb.REMOVE,
        "account",
        account.name,
        account.name,
        changes_between(account, None),
        partial(remove_account, context, account.name, reason),
        obstacle,
    )
