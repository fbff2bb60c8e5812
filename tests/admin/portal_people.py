"""People who sign in to the portal, over an admin world with clocks that a test sets."""

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from restante.admin.admin_context import RequestMemory
from restante.admin.identity_provider import IdentityProvider
from restante.admin.own_credentials import NewCredentials, OwnCredentials, SetUp
from restante.admin.passkey_service import PasskeyService
from restante.admin.portal_hashing import PortalHashing
from restante.admin.portal_sessions import PortalSessions
from restante.admin.portal_users import INVITATION_PATH, NewPortalUser, invite_user
from restante.admin.provider_sign_in import ProviderSignIn
from restante.admin.sign_in import SignedIn, SignInCredentials, SignInDenied, SignInService
from restante.background.rounds import Rounds
from restante.telemetry.events import SignInRefused
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import EVERY_ENTRY, AuditAction, AuditEntry
from restante.tenancy.grants import GrantedRole
from restante.tenancy.one_time_codes import code_at, step_at
from restante.tenancy.passwords import any_matches
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.provider_settings import ProviderSettings
from tests.admin.admin_world import NOW, AdminWorld, with_settings

HOME: Final = ipaddress.ip_address("192.0.2.7")
ELSEWHERE: Final = ipaddress.ip_address("198.51.100.1")
PASSWORD: Final = "korb stiefel mond"
ROOT: Final = "root@mx.example"
ANA: Final = "ana@alpha.example"


async def no_pause(_seconds: float) -> None:
    """Wait for nothing: the hashes of tests cost nothing."""


@dataclass
class People:
    """An admin world, the parts that sign people in, and the secrets that the people keep."""

    admin: AdminWorld = field(default_factory=AdminWorld)
    now: float = NOW
    monotonic: float = 0.0
    url: str = "https://r.example"  # of the portal
    provider_settings: ProviderSettings | None = None  # of a provider
    hashing: PortalHashing = field(
        default_factory=lambda: PortalHashing(pause=no_pause, stranger_matches=any_matches)
    )
    apps: dict[str, str] = field(default_factory=dict)  # the secret of the codes, by address
    recovery: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context = replace(
            with_settings(self.admin.context, portal_url=lambda: self.url),
            now=lambda: self.now,
            memory=RequestMemory(monotonic=lambda: self.monotonic),
        )
        self.sign_in_service = SignInService(self.context, self.hashing, lambda: self.monotonic)
        self.credentials = OwnCredentials(self.context, self.hashing, "mx2.example.net")
        self.passkeys = PasskeyService(self.context, self.sign_in_service, "Example")
        asked = IdentityProvider(
            lambda: self.provider_settings,
            self.context.network.resolver,
            self.context.one_time_seals,
            lambda: self.now,
            lambda: self.monotonic,
        )
        self.provider = ProviderSignIn(
            self.context, self.sign_in_service, asked, lambda: self.monotonic
        )
        self.sessions = PortalSessions(
            self.admin.store.sessions,
            self.context.directory,
            Rounds(self.admin.log, WorkWord.PORTAL_SESSIONS),
            lambda: self.now,
        )

    async def invite(self, email: str = ROOT, **fields: Any) -> str:
        """Return the secret of an invitation: of an operator, or of an admin of alpha."""
        account = "" if email == ROOT else "alpha"
        if account and account not in self.context.directory.now.accounts:
            await self.admin.host("alpha.example", "alpha")
        role = GrantedRole.ACCOUNT_ADMIN if account else GrantedRole.OPERATOR
        new = NewPortalUser.model_validate(
            {"email": email, "account": account, "role": role} | fields
        )
        link = (await invite_user(self.context, new)).link
        return link.removeprefix(f"{self.url}{INVITATION_PATH}")

    async def accept(
        self, secret: str, password: str = PASSWORD, *, has_code: bool = True
    ) -> SetUp:
        """Accept an invitation, with an app for codes or without one."""
        user = self.credentials.invited(secret)
        if user is None:
            return await self.credentials.accept(secret, NewCredentials(password), HOME)
        offer = self.credentials.offer_code(user)
        code = code_at(offer.secret, step_at(self.now)) if has_code else ""
        given = NewCredentials(password, offer.sealed, code)
        done = await self.credentials.accept(secret, given, HOME)
        self.apps[user.email] = offer.secret
        self.recovery[user.email] = done.recovery_codes
        return done

    async def set_up(self, email: str = ROOT, *, has_code: bool = True) -> PortalUser:
        """Invite a user who accepts; a minute passes, so that the next code is another one."""
        done = await self.accept(await self.invite(email), has_code=has_code)
        self.now += 60
        return done.signed_in.user

    def code(self, email: str = ROOT, steps: int = 0) -> str:
        """Return the code that the user's app shows, some steps from now."""
        return code_at(self.apps[email], step_at(self.now) + steps)

    async def sign_in(
        self, email: str = ROOT, password: str = PASSWORD, code: str = "", address: Any = HOME
    ) -> SignedIn:
        """Sign in."""
        return await self.sign_in_service.sign_in(SignInCredentials(email, password, code), address)

    async def denial(self, *given: Any, **named: Any) -> SignInDenied:
        """Return the refusal of a sign-in."""
        try:
            await self.sign_in(*given, **named)
        except SignInDenied as denied:
            return denied
        raise AssertionError("was signed in")

    def user(self, email: str = ROOT) -> PortalUser:
        """Return the record as it is now."""
        return self.context.directory.now.portal_users[email]

    async def entries(self, action: AuditAction) -> list[AuditEntry]:
        """Return the entries of an action, newest first."""
        wanted = EVERY_ENTRY._replace(action=str(action))
        return list((await self.admin.store.audit.audit_page(wanted, 1000, None)).entries)

    @property
    def reasons(self) -> list[str]:
        """The reasons of refusals that the log has."""
        return [one["reason"] for kind, one in self.admin.log.lines if kind is SignInRefused]
