"""Passkeys of portal users: made, used to sign in or to show a factor, renamed and removed.

A challenge is good for five minutes, once, for one purpose, and for the session that asked for it.
It is sealed (`one_time_seals`), so strangers can ask for any number. It is used up by the answer
that signs somebody in, or does what it was asked for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.one_time_seals import OpenedValue
from restante.admin.own_record import put_own
from restante.admin.sign_in import SignedIn, SignInDenied, SignInService
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import IpAddress
from restante.tenancy.passkeys import (
    CEREMONY_SECONDS,
    NoRelyingParty,
    PasskeyAssertion,
    PasskeyRefused,
    PasskeyRegistration,
    RelyingParty,
    asserted,
    assertion_options,
    registered,
    registration_options,
)
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from restante.tenancy.sign_in_factor import SignInFactor

MOST_PASSKEYS: Final = 20  # of a user
LONGEST_NAME: Final = 60  # characters
UNNAMED: Final = "passkey"
REFUSED_PASSKEY: Final = "This passkey was not accepted. Try again, or sign in in another way."
NOT_MADE: Final = "The passkey was not made. Try again."
LAST_FACTOR: Final = "An operator needs a second factor, and this is the last one."
_OVER: Final = "its challenge is unknown, was used, or is too old"
_SIGN_IN: Final = "passkey of a stranger"  # the purpose of a challenge


class PasskeyService:
    """Gives out challenges, and examines the answers. Belongs to the event loop."""

    def __init__(self, context: AdminContext, sign_in: SignInService, name: str) -> None:
        """`name` is the portal's, as authenticators show it."""
        self._context = context
        self._sign_in = sign_in
        self._name = name

    @property
    def obstacle(self) -> str:
        """Why there are no passkeys at the portal's address; "" if there are."""
        try:
            self._party()
        except NoRelyingParty as error:
            return str(error)
        return ""

    def offer(self, user: PortalUser, session: str) -> Mapping[str, Any]:
        """Return the options for a new passkey of a user. Raises AdminError."""
        self._check_room(user)
        challenge = self._new_challenge(_register(session))
        return registration_options(self._checked_party(), user, challenge)

    async def register(
        self, user: PortalUser, session: str, text: str, name: str, address: IpAddress
    ) -> None:
        """Record the passkey that a browser made. Raises AdminError, StoreError."""
        self._check_room(user)
        try:
            answer = PasskeyRegistration.read(text)
            asked = await self._opened(answer.challenge, _register(session))
            called, now = _checked_name(name), self._context.now()
            made = registered(self._checked_party(), answer.challenge, answer, called, now)
            self._check_new(made)
            await self._use_up(asked)
        except PasskeyRefused as refused:
            remedy = "load the page again, and take a device that has none for this portal"
            error = f"{NOT_MADE} {str(refused)[:1].upper()}{str(refused)[1:]}"
            raise AdminError(ErrorKind.INVALID, error, remedy) from None
        await self._change(user, (*user.passkeys, made), address)

    async def rename(self, user: PortalUser, key: str, name: str, address: IpAddress) -> None:
        """Give a passkey another name. Raises AdminError, StoreError."""
        found = _passkey_of(user, key)
        renamed = replace(found, name=_checked_name(name))
        passkeys = tuple(renamed if one is found else one for one in user.passkeys)
        await self._change(user, passkeys, address)

    async def remove(self, user: PortalUser, key: str, address: IpAddress) -> None:
        """Remove a passkey. Raises AdminError, StoreError."""
        found = _passkey_of(user, key)
        left = tuple(one for one in user.passkeys if one is not found)
        if replace(user, passkeys=left).needs_second_factor:
            remedy = "set up one-time codes or another passkey first"
            raise AdminError(ErrorKind.CONFLICT, LAST_FACTOR, remedy)
        await self._change(user, left, address)

    def ask_stranger(self) -> Mapping[str, Any]:
        """Return the options for a sign-in. They name nobody. Raises AdminError."""
        return assertion_options(self._checked_party(), self._new_challenge(_SIGN_IN))

    def ask_user(self, user: PortalUser, session: str) -> Mapping[str, Any]:
        """Return the options by which somebody signed in shows a passkey. Raises AdminError."""
        challenge = self._new_challenge(_confirm(session))
        return assertion_options(self._checked_party(), challenge, user.passkeys)

    async def sign_in(self, text: str, address: IpAddress) -> SignedIn:
        """Return the user whose passkey signed a challenge. Raises SignInDenied, StoreError."""
        user = None
        try:
            assertion, asked = await self._read(text, _SIGN_IN)
            user, passkey = self._owner(assertion)
            count = self._asserted(assertion, user, passkey, is_stranger=True)
            await self._use_up(asked)
        except (PasskeyRefused, NoRelyingParty) as refused:
            raise await self._refusal(user, refused, address) from None
        used = self._used(user, passkey, count)
        return await self._sign_in.sign_in_otherwise(
            user, (SignInFactor.PASSKEY,), address, passkeys=used
        )

    async def confirm(self, email: str, session: str, text: str, address: IpAddress) -> None:
        """Examine the passkey of somebody signed in. Raises SignInDenied, StoreError."""
        user = None
        try:
            assertion, asked = await self._read(text, _confirm(session))
            user, passkey = self._owner(assertion, email)
            count = self._asserted(assertion, user, passkey, is_stranger=False)
            await self._use_up(asked)
        except (PasskeyRefused, NoRelyingParty) as refused:
            raise await self._refusal(user, refused, address) from None
        after = user.changed(passkeys=self._used(user, passkey, count))
        shown = AuditAction.FACTOR_SHOWN
        if not await put_own(self._context, user, after, shown, str(address)):
            raise SignInDenied(REFUSED_PASSKEY)

    def _party(self) -> RelyingParty:
        return RelyingParty.of_url(self._context.settings.portal_url(), self._name)

    def _checked_party(self) -> RelyingParty:
        try:
            return self._party()
        except NoRelyingParty as error:
            cause, _, remedy = str(error).partition(": ")
            raise AdminError(ErrorKind.CONFLICT, f"passkey: {cause}", remedy) from None

    def _new_challenge(self, purpose: str) -> bytes:
        return self._context.one_time_seals.seal(purpose, CEREMONY_SECONDS)

    async def _opened(self, challenge: bytes, purpose: str) -> OpenedValue:
        """Return a challenge that was given for a purpose. Raises PasskeyRefused, StoreError."""
        seals = self._context.one_time_seals
        opened = seals.open(challenge, purpose)
        if opened is None or await seals.was_used(opened):
            raise PasskeyRefused(_OVER)
        return opened

    async def _use_up(self, challenge: OpenedValue) -> None:
        """Use a challenge up. Raises PasskeyRefused if it was used before, StoreError."""
        if not await self._context.one_time_seals.use(challenge):
            raise PasskeyRefused(_OVER)

    async def _read(self, text: str, purpose: str) -> tuple[PasskeyAssertion, OpenedValue]:
        assertion = PasskeyAssertion.read(text)
        return assertion, await self._opened(assertion.challenge, purpose)

    def _asserted(
        self,
        assertion: PasskeyAssertion,
        user: PortalUser,
        passkey: PortalPasskey,
        *,
        is_stranger: bool,
    ) -> int:
        challenge = assertion.challenge
        return asserted(self._party(), challenge, assertion, user, passkey, is_stranger=is_stranger)

    def _owner(
        self, assertion: PasskeyAssertion, email: str | None = None
    ) -> tuple[PortalUser, PortalPasskey]:
        """Return the passkey that signed, and its user, who may only be one. Raises."""
        found = self._context.directory.now.passkey(assertion.credential_id)
        if found is None:
            raise PasskeyRefused("nobody has it")
        if email not in (None, found[0].email):
            raise PasskeyRefused("it is another user's")
        return found

    def _check_new(self, made: PortalPasskey) -> None:
        if self._context.directory.now.passkey(made.credential_id) is not None:
            raise PasskeyRefused("somebody has it already")

    def _used(self, user: PortalUser, used: PortalPasskey, count: int) -> tuple[PortalPasskey, ...]:
        after = replace(used, sign_count=count, used_at=self._context.now())
        return tuple(after if one is used else one for one in user.passkeys)

    async def _refusal(
        self, user: PortalUser | None, refused: Exception, address: IpAddress
    ) -> SignInDenied:
        email = "" if user is None else user.email
        reason = f"wrong passkey: {refused}"
        return await self._sign_in.refusal(email, reason, address, REFUSED_PASSKEY)

    def _check_room(self, user: PortalUser) -> None:
        if len(user.passkeys) >= MOST_PASSKEYS:
            error = f"you have {len(user.passkeys)} passkeys already"
            raise AdminError(ErrorKind.CONFLICT, error, "remove those that you do not use")

    async def _change(
        self, user: PortalUser, passkeys: tuple[PortalPasskey, ...], address: IpAddress
    ) -> None:
        after, action = user.changed(passkeys=passkeys), AuditAction.USER_CHANGED
        if not await put_own(self._context, user, after, action, str(address)):
            error = "your record was changed meanwhile"
            raise AdminError(ErrorKind.STALE, error, "load the page again")


def _register(session: str) -> str:
    """Return the purpose of a challenge for a new passkey."""
    return f"new passkey in {session}"


def _confirm(session: str) -> str:
    """Return the purpose of a challenge by which somebody signed in shows a passkey."""
    return f"passkey again in {session}"


def _checked_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        remedy = f"write at most {LONGEST_NAME} characters"
        raise AdminError(ErrorKind.INVALID, "this name is too long, or cannot be shown", remedy)
    return name or UNNAMED


def _passkey_of(user: PortalUser, key: str) -> PortalPasskey:
    found = next((one for one in user.passkeys if one.key == key), None)
    if found is None:
        raise AdminError(ErrorKind.NOT_FOUND, "passkey: does not exist", "load the page again")
    return found
