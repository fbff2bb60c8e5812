"""An account whose token asks for changes that wait, with a clock that tests move."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from restante.admin import tokens
from restante.admin.admin_context import AdminContext
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.domain_change import DomainChange
from restante.admin.domains import ChangedDomain, change_domain
from restante.admin.tokens import NewToken
from restante.telemetry.events import Event
from restante.tenancy.audit import AuditEntry
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.model import HostedDomain
from restante.tenancy.scheduled_change import ScheduledChange
from restante.tenancy.token_chain import token_principal
from tests.admin.admin_world import NOW, AdminWorld, with_settings

DELAY = 3600.0
NEW_HOST = "mail2.alpha.example"


class ChangeScene:
    """An operator's context, one of an account's administrator, and the keeper of changes."""

    def __init__(self) -> None:
        self.now = NOW
        self.delay = DELAY
        self.admin = AdminWorld()
        self.admin.resolver.known |= {"mail.alpha.example": ["9.9.9.9"], NEW_HOST: ["9.9.9.10"]}
        context = with_settings(self.admin.context, change_delay=lambda: self.delay)
        self.operator = replace(context, now=lambda: self.now)
        self.told = 0  # times that the keeper waited for its notices
        self.keeper = ChangeKeeper(self.operator, cast("Any", self.admin.log), self._until_told)
        self.alpha: AdminContext = self.operator
        self.token = ""

    async def open(self) -> "ChangeScene":
        """Host alpha.example, and give its account a token that may redirect mail."""
        await self.admin.host("alpha.example", "alpha")
        scopes = (Scope.DOMAIN_DIRECT, Scope.CONFIGURATION_WRITE)
        new = NewToken(name="ci", account="alpha", role=GrantedRole.ACCOUNT_ADMIN, scopes=scopes)
        self.token = (await tokens.add_token(self.operator, new)).id
        self.alpha = self.acting(self.token)
        return self

    def acting(self, token: str, reason: str = "") -> AdminContext:
        directory = self.operator.directory.now
        principal = token_principal(directory.tokens[token], directory, "192.0.2.9")
        return self.operator.acting(principal, reason)

    async def ask(self, **fields: Any) -> ChangedDomain:
        """Change the domain as the account."""
        return await change_domain(self.alpha, "alpha.example", DomainChange(**fields))

    async def decide(self, **fields: Any) -> ChangedDomain:
        """Change the domain as the operator."""
        return await change_domain(self.operator, "alpha.example", DomainChange(**fields))

    @property
    def domain(self) -> HostedDomain:
        return self.operator.directory.now.domains["alpha.example"]

    async def waiting(self) -> Sequence[ScheduledChange]:
        return await self.admin.store.schedule.waiting_changes()

    async def trail(self) -> list[AuditEntry]:
        """The entries about changes that waited, the newest first."""
        entries = await self.admin.store.audit.audit()
        return [one for one in entries if one.action.startswith("change-")]

    def events(self, kind: type[Event]) -> list[dict[str, Any]]:
        return [line for of, line in self.admin.log.lines if of is kind]

    async def _until_told(self) -> None:
        self.told += 1
        await asyncio.sleep(0)
