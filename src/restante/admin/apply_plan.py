"""The plan for a configuration: everything is checked, and nothing is changed.

Each entry is compared with the present record by the functions that `add` and `set` use. So a plan
has the same rules, permissions and errors, and an unchanged record has no step.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from restante.admin.accounts import checked_account, find_account, store_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_channels import plan_channel
from restante.admin.apply_domains import plan_domain
from restante.admin.apply_logins import plan_login
from restante.admin.apply_removals import is_leaving, removals
from restante.admin.apply_steps import (
    ApplyOptions,
    ApplyPlan,
    ApplyStage,
    ApplyStep,
    check_same,
    groups_of,
    verb_of,
)
from restante.admin.configuration_entries import (
    AccountEntry,
    ChannelEntry,
    ConfigurationEntry,
    DomainEntry,
    EntryProblem,
    LoginEntry,
    NotApplicable,
    WantedRecords,
)
from restante.admin.permissions import AdminAction, permit
from restante.tenancy.model import Account
from restante.tenancy.record_change import changes_between

SLICE_SECONDS: Final = 0.005  # after which other work of the event loop has its turn
_AT_ONCE: Final = 20  # domains whose destinations are looked up

_Entry = TypeVar("_Entry", bound=ConfigurationEntry)


class SliceBreather:
    """Lets other work run after each slice of time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()

    async def breathe(self) -> None:
        """Let other work run if the slice is over.

        Several tasks may ask. The first one that goes on begins a slice, which all of them share.
        """
        while self._clock() - self._since > SLICE_SECONDS:
            over = self._since
            await asyncio.sleep(0)
            if self._since == over:
                self._since = self._clock()


async def make_plan(
    context: AdminContext, wanted: WantedRecords, options: ApplyOptions
) -> ApplyPlan:
    """Return the plan. Raises NotApplicable with all that is wrong, StoreError."""
    planner = _Planner(context, wanted, options)
    await planner.run()
    if wanted.problems:
        raise NotApplicable(wanted.problems)
    planner.plan.steps.sort(key=lambda step: step.stage)
    return planner.plan


class _Planner:
    """Goes over the entries, and collects steps and problems."""

    def __init__(self, context: AdminContext, wanted: WantedRecords, options: ApplyOptions) -> None:
        self.plan = ApplyPlan()
        self._context = context
        self._wanted = wanted
        self._options = options
        self._breather = SliceBreather()

    async def run(self) -> None:
        """Plan everything."""
        for account in self._wanted.accounts.values():
            await self._plan_each(account, self._plan_account)
        for login in self._wanted.logins.values():
            await self._plan_each(login, self._plan_login)
        for some in groups_of(_AT_ONCE, self._wanted.domains.items()):
            await asyncio.gather(
                *(self._plan_each(one, partial(self._plan_domain, name)) for name, one in some)
            )
        for channel in self._wanted.channels.values():
            await self._plan_each(channel, self._plan_channel)
        try:
            await self._plan_removals()
        except AdminError as error:
            self._wanted.problems.append(EntryProblem(error.kind, error.error, error.remedy))

    async def _plan_each(self, entry: _Entry, plan: Callable[[_Entry], Awaitable[None]]) -> None:
        """Plan one entry, and note a fault of it."""
        await self._breather.breathe()
        try:
            await plan(entry)
        except AdminError as error:
            self._wanted.note(entry, error)

    async def _plan_account(self, entry: AccountEntry) -> None:
        self.plan.take(account_step(self._context, entry, self._options))

    async def _plan_login(self, entry: LoginEntry) -> None:
        self._check_owner(entry.account)
        leaving = is_leaving(self._context, self._wanted, self._options.prune, entry.user)
        self.plan.take(
            await plan_login(self._context, entry, self._options, is_leaving_another=leaving)
        )

    async def _plan_domain(self, name: str, entry: DomainEntry) -> None:
        self._check_owner(entry.account)
        addresses = self._wanted.addresses.get(name)
        planned = await plan_domain(self._context, name, entry, addresses, self._options)
        self.plan.take(planned.domain)
        if addresses is not None:
            self.plan.take(planned.recipients)
        self.plan.warnings += planned.warnings

    async def _plan_channel(self, entry: ChannelEntry) -> None:
        if entry.account or not self._context.principal.sees(""):
            self._check_owner(entry.account)
        self._check_outside(entry)
        steps = await plan_channel(self._context, entry, self._options)
        self.plan.steps += steps
        self.plan.unchanged += not steps

    async def _plan_removals(self) -> None:
        for step in removals(self._context, self._wanted, self._options):
            self.plan.steps.append(step)
            await self._breather.breathe()

    def _check_owner(self, account: str) -> None:
        """Raise AdminError if an account is neither there nor in the configuration."""
        if account in self._wanted.accounts:
            return
        try:
            find_account(self._context, account)
        except AdminError as error:
            remedy = f"{error.remedy}; or add an entry for the account"
            raise AdminError(error.kind, error.error, remedy) from None

    def _check_outside(self, entry: ChannelEntry) -> None:
        """Raise AdminError for mail to a domain that this configuration adds."""
        domain = (entry.mail or "").rpartition("@")[2].lower()
        if domain in self._wanted.domains:
            error = f"notice channel {entry.name}: mail to {entry.mail} would be held here"
            raise AdminError(ErrorKind.INVALID, error, "name an address in another domain")


def account_step(
    context: AdminContext, entry: AccountEntry, options: ApplyOptions
) -> ApplyStep | None:
    """Return the step for an account; None if nothing differs. Raises AdminError."""
    present = context.directory.now.accounts.get(entry.name)
    if present is not None and not context.principal.sees(entry.name):
        present = None  # as if it were not there
    base = present or Account(entry.name, context.now())
    if present is not None and options.is_pruning:
        plain = Account(present.name, present.created_at)
        base = plain if context.principal.sees("") else replace(plain, note=present.note)
    wanted = checked_account(base, entry)
    changes = changes_between(present, wanted)
    if not changes:
        return None
    permit(
        context.principal,
        AdminAction.ACCOUNT_ADD if present is None else AdminAction.ACCOUNT_CHANGE,
    )
    return ApplyStep(
        ApplyStage.ACCOUNTS,
        verb_of(present),
        "account",
        entry.name,
        entry.name,
        changes,
        partial(_store_account, context, present, wanted),
    )


async def _store_account(context: AdminContext, present: Account | None, wanted: Account) -> None:
    now = context.directory.now.accounts.get(wanted.name)
    check_same(f"account {wanted.name}", present, now)
    await store_account(context, present, wanted)
