"""Signs people in by a provider of OpenID Connect, with the rights of their groups.

Issuer and subject are the identity. A person who comes for the first time becomes a user. The email
address only names that user in lists, and never leads to a user who is there. Account and role come
from the groups, again at each sign-in. A person without a group that has a role is refused, and
sessions from before end.

A user who was invited can link an identity, and sign in by it too. Such a user keeps the account
and the rights that the invitation gave.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.identity_provider import IdentityProvider, ProviderFailed
from restante.admin.one_time_seals import octets_of, text_of
from restante.admin.own_record import put_own
from restante.admin.portal_users import MOST_USERS
from restante.admin.sign_in import BUSY, TOO_MANY, SignedIn, SignInDenied, SignInService
from restante.network.addresses import address_block, plain_address
from restante.request_limits.failed_logins import RateLimit
from restante.tenancy.audit import AuditAction
from restante.tenancy.code_flow import BegunSignIn, CallbackRefused, email_in
from restante.tenancy.id_token import IdTokenRefused, ProvenIdentity
from restante.tenancy.model import IpAddress
from restante.tenancy.portal_user import PROVIDER, PortalUser, canonical_email
from restante.tenancy.provider_settings import ProviderSettings, RoleRule, rule_for
from restante.tenancy.sign_in_factor import SignInFactor

BACK_PATH: Final = "/sign-in/provider/back"
BEGUN_A_MINUTE: Final = 20  # of an address block
RECENT_SECONDS: Final = 180.0  # since a person showed a factor at the provider
NOT_SIGNED_IN: Final = "The provider did not sign you in. Try again, or sign in in another way."
NOT_LINKED: Final = "The provider was not linked. Its identity may be another user's already."
NO_ROLE: Final = "You have no role here. Ask the person who looks after this server."


class _Refused(Exception):  # noqa: N818
    """A person who is known to the provider is refused. The text is the true reason."""


@dataclass(frozen=True, slots=True)
class ReturnedPerson:
    """A person who came back from the provider."""

    signed_in: SignedIn
    following: str  # the path to go on to
    proved_at: float  # Unix time at which a factor was shown there; 0.0 if that is not known
    is_step_up: bool  # the person was signed in, and showed a factor again
    is_link: bool = False  # the person was signed in, and has the identity now


class ProviderSignIn:
    """Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        sign_in: SignInService,
        provider: IdentityProvider,
        monotonic: Callable[[], float],
    ) -> None:
        """`monotonic` is in seconds that only grow."""
        self._context = context
        self._sign_in = sign_in
        self._provider = provider
        self._monotonic = monotonic
        self._begun = RateLimit(BEGUN_A_MINUTE, lambda: context.store.nodes.servers)

    @property
    def name(self) -> str:
        """The name of the provider, for a button; "" without one."""
        settings = self._provider.settings
        return settings.name if settings is not None and self._context.settings.portal_url() else ""

    def knows(self, user: PortalUser) -> bool:
        """Return whether the present provider has signed a user in."""
        settings = self._provider.settings
        return (
            settings is not None and bool(user.oidc_subject) and user.oidc_issuer == settings.issuer
        )

    async def begin(
        self, following: str, address: IpAddress, email: str = "", *, is_link: bool = False
    ) -> tuple[str, str]:
        """Return a text for the browser's cookie, and the address to which the browser goes.

        With `email`, that user is to show a factor again, or to take an identity. Raises
        SignInDenied, StoreError.
        """
        block = str(address_block(plain_address(address)))
        if not self._begun.allows(block, self._monotonic()):
            raise SignInDenied(TOO_MANY, is_flood=True)
        try:
            begun, url = await self._provider.begin(self._back, following, email, is_link=is_link)
        except ProviderFailed as failed:
            raise await self._refusal("", failed, address) from None
        return text_of(begun), url

    async def finish(
        self, answer: Mapping[str, str], cookie: str, address: IpAddress, fresh: str = ""
    ) -> ReturnedPerson:
        """Return the person who came back, signed in. Raises SignInDenied, StoreError.

        `fresh` is the user who is signed in in this browser and showed a factor recently.
        """
        try:
            begun, identity = await self._provider.finish(answer, octets_of(cookie), self._back)
        except (CallbackRefused, IdTokenRefused, ProviderFailed) as failed:
            raise await self._refusal("", failed, address) from None
        settings = self._provider.settings
        if settings is None:  # removed from the configuration at this moment
            raise SignInDenied(NOT_SIGNED_IN)
        user = self._context.directory.now.user_of_identity(identity.issuer, identity.subject)
        email = "" if user is None else user.email
        try:
            if begun.is_link:
                own = self._context.directory.now.portal_users.get(begun.email)
                return await self._linked(own if fresh == begun.email else None, identity, address)
            if begun.email:
                return await self._confirmed(begun, user, identity, address)
            signed_in = await self._signed_in(settings, user, identity, address)
        except _Refused as refused:
            if user is not None and not begun.email:
                await self._context.store.sessions.end_sessions_of(email)
            text = NOT_LINKED if begun.is_link else NO_ROLE
            raise await self._refusal(email or begun.email, refused, address, text) from None
        return ReturnedPerson(signed_in, begun.following, identity.authenticated_at or 0.0, False)

    @property
    def _back(self) -> str:
        return self._context.settings.portal_url() + BACK_PATH

    async def _confirmed(
        self,
        begun: BegunSignIn,
        user: PortalUser | None,
        identity: ProvenIdentity,
        address: IpAddress,
    ) -> ReturnedPerson:
        """Return a user who is signed in, and showed a factor at the provider just now."""
        if user is None or user.email != begun.email:
            raise _Refused("the provider knows the person as another user")
        now, shown_at = self._context.now(), identity.authenticated_at
        if shown_at is None or abs(now - shown_at) > RECENT_SECONDS:
            raise _Refused("the provider does not say that a factor was shown just now")
        after, action = user.changed(), AuditAction.FACTOR_SHOWN
        if not await put_own(self._context, user, after, action, str(address)):
            raise SignInDenied(BUSY)
        return ReturnedPerson(SignedIn(after, (SignInFactor.PROVIDER,)), begun.following, now, True)

    async def _linked(
        self, own: PortalUser | None, identity: ProvenIdentity, address: IpAddress
    ) -> ReturnedPerson:
        """Give an identity to the user who is signed in and asked for it."""
        present = self._context.directory.now.user_of_identity(identity.issuer, identity.subject)
        if present is not None:
            raise _Refused("this identity is a user's already")
        if own is None:
            raise _Refused("the user who asked for a link is not signed in, or without a factor")
        if own.oidc_subject:
            raise _Refused("the user has an identity already")
        after = own.changed(oidc_issuer=identity.issuer, oidc_subject=identity.subject)
        if not await put_own(self._context, own, after, AuditAction.USER_CHANGED, str(address)):
            raise SignInDenied(BUSY)
        return ReturnedPerson(
            SignedIn(after, (SignInFactor.PROVIDER,)), "", 0.0, is_step_up=False, is_link=True
        )

    async def unlink(self, user: PortalUser, address: IpAddress) -> None:
        """Take the identity from a user who can sign in without it. Raises AdminError, StoreError.

        Sessions that it opened go on: the user sees them, and can end them.
        """
        if not user.oidc_subject:
            raise AdminError(ErrorKind.NOT_FOUND, "no provider is linked", "load the page again")
        if user.is_of_provider or not user.has_own_means:
            remedy = "ask an operator to remove the user"
            raise AdminError(ErrorKind.CONFLICT, "you sign in at the provider alone", remedy)
        after = user.changed(oidc_issuer="", oidc_subject="")
        if not await put_own(self._context, user, after, AuditAction.USER_CHANGED, str(address)):
            error = "your record was changed meanwhile"
            raise AdminError(ErrorKind.STALE, error, "load the page again")

    async def _signed_in(
        self,
        settings: ProviderSettings,
        user: PortalUser | None,
        identity: ProvenIdentity,
        address: IpAddress,
    ) -> SignedIn:
        factors = (SignInFactor.PROVIDER,)
        if user is not None and not user.is_of_provider:  # it has rights of its own
            return await self._sign_in.sign_in_otherwise(user, factors, address)
        rule = rule_for(settings.rules, identity.texts(settings.groups_claim))
        if rule is None:
            raise _Refused("no group of the person has a role in [[oidc.roles]]")
        if rule.account and rule.account not in self._context.directory.now.accounts:
            raise _Refused(f"the account {rule.account} of [[oidc.roles]] does not exist")
        if user is None:
            user = await self._added(rule, identity, address)
        elif user.account != rule.account:
            raise _Refused("the groups name another account now: remove the user first")
        return await self._sign_in.sign_in_otherwise(user, factors, address, grants=rule.grants)

    async def _added(
        self, rule: RoleRule, identity: ProvenIdentity, address: IpAddress
    ) -> PortalUser:
        """Return a new user. Raises _Refused, SignInDenied, StoreError."""
        directory = self._context.directory.now
        try:
            email = canonical_email(email_in(identity.claims))
        except ValueError:
            reason = "the ID token has no email address that is verified: check `scopes`"
            raise _Refused(reason) from None
        if email in directory.portal_users:
            raise _Refused(f"{email} is another user already, with another identity")
        if len(directory.portal_users_of(rule.account)) >= MOST_USERS:
            raise _Refused(f"{rule.account or 'the operator'} has {MOST_USERS} users already")
        maker, now = f"{PROVIDER}{identity.issuer}", self._context.now()
        user = PortalUser(
            email,
            rule.account,
            rule.grants,
            maker,
            now,
            oidc_issuer=identity.issuer,
            oidc_subject=identity.subject,
        )
        action = AuditAction.USER_ADDED
        if not await put_own(self._context, None, user, action, str(address)):
            raise SignInDenied(BUSY)
        return user

    async def _refusal(
        self, email: str, reason: Exception, address: IpAddress, text: str = NOT_SIGNED_IN
    ) -> SignInDenied:
        return await self._sign_in.refusal(email, f"provider: {reason}", address, text)
