"""Passkeys of portal users: made, used to sign in or to show a factor, renamed and removed.

Each challenge is kept here, for five minutes. It is good once, for one purpose, and for the session
that asked for it. Strangers ask for some, so their number is bounded by address block.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.own_record import put_own
from restante.admin.sign_in import SignedIn, SignInDenied, SignInService
from restante.network.addresses import address_block, plain_address
from restante.request_limits.one_time_values import OneTimeValues
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import IpAddress
from restante.tenancy.passkeys import (
    CEREMONY_SECONDS,
    CHALLENGE_OCTETS,
    Assertion,
    NoRelyingParty,
    PasskeyRefused,
    Registration,
    RelyingParty,
    asserted,
    assertion_options,
    registered,
    registration_options,
)
from restante.tenancy.portal_user import PortalPasskey, PortalUser

PASSKEY: Final = "passkey"  # the name of the factor
MOST_PASSKEYS: Final = 20  # of a user
LONGEST_NAME: Final = 60  # characters
UNNAMED: Final = "passkey"
REFUSED_PASSKEY: Final = "This passkey was not accepted. Try again, or sign in in another way."
NOT_MADE: Final = "The passkey was not made. Try again."
LAST_FACTOR: Final = "An operator needs a second factor, and this is the last one."
_SIGN_IN: Final = ""  # the purpose of a stranger's challenge


@dataclass(frozen=True, slots=True)
class _Asked:
    """A challenge that a browser was given."""

    challenge: bytes
    purpose: str  # _SIGN_IN, or the kind and the session of somebody who is signed in


class PasskeyService:
    """Gives out challenges, and examines the answers. Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        sign_in: SignInService,
        name: str,
        monotonic: Callable[[], float],
    ) -> None:
        """`name` is the portal's, as authenticators show it; `monotonic` is in seconds."""
        self._context = context
        self._sign_in = sign_in
        self._name = name
        self._monotonic = monotonic
        self._asked: OneTimeValues[_Asked] = OneTimeValues(CEREMONY_SECONDS)

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
        challenge = self._new_challenge(f"register {session}", session)
        return registration_options(self._checked_party(), user, challenge)

    async def register(
        self, user: PortalUser, session: str, text: str, name: str, address: IpAddress
    ) -> None:
        """Record the passkey that a browser made. Raises AdminError, StoreError."""
        self._check_room(user)
        try:
            answer = Registration.read(text)
            challenge = self._taken(answer.challenge, f"register {session}")
            called, now = _checked_name(name), self._context.now()
            made = registered(self._checked_party(), challenge, answer, called, now)
            self._check_new(made)
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

    def ask_stranger(self, address: IpAddress) -> Mapping[str, Any]:
        """Return the options for a sign-in. They name nobody. Raises AdminError."""
        block = str(address_block(plain_address(address)))
        return assertion_options(self._checked_party(), self._new_challenge(_SIGN_IN, block))

    def ask_user(self, user: PortalUser, session: str) -> Mapping[str, Any]:
        """Return the options by which somebody signed in shows a passkey. Raises AdminError."""
        challenge = self._new_challenge(f"confirm {session}", session)
        return assertion_options(self._checked_party(), challenge, user.passkeys)

    async def sign_in(self, text: str, address: IpAddress) -> SignedIn:
        """Return the user whose passkey signed a challenge. Raises SignInDenied, StoreError."""
        user = None
        try:
            assertion, challenge = self._read(text, _SIGN_IN)
            user, passkey = self._owner(assertion)
            count = asserted(self._party(), challenge, assertion, user, passkey, is_stranger=True)
        except (PasskeyRefused, NoRelyingParty) as refused:
            raise await self._refusal(user, refused, address) from None
        used = self._used(user, passkey, count)
        return await self._sign_in.sign_in_otherwise(user, PASSKEY, address, passkeys=used)

    async def confirm(self, email: str, session: str, text: str, address: IpAddress) -> None:
        """Examine the passkey of somebody signed in. Raises SignInDenied, StoreError."""
        user = None
        try:
            assertion, challenge = self._read(text, f"confirm {session}")
            user, passkey = self._owner(assertion, email)
            count = asserted(self._party(), challenge, assertion, user, passkey, is_stranger=False)
        except (PasskeyRefused, NoRelyingParty) as refused:
            raise await self._refusal(user, refused, address) from None
        after = user.changed(passkeys=self._used(user, passkey, count))
        shown = AuditAction.FACTOR_SHOWN
        if not await put_own(self._context, user, after, shown, str(address)):
            raise SignInDenied(REFUSED_PASSKEY)

    def _party(self) -> RelyingParty:
        return RelyingParty.of_url(self._context.portal_url(), self._name)

    def _checked_party(self) -> RelyingParty:
        try:
            return self._party()
        except NoRelyingParty as error:
            cause, _, remedy = str(error).partition(": ")
            raise AdminError(ErrorKind.CONFLICT, f"passkey: {cause}", remedy) from None

    def _new_challenge(self, purpose: str, owner: str) -> bytes:
        challenge = secrets.token_bytes(CHALLENGE_OCTETS)
        asked = _Asked(challenge, purpose)
        self._asked.put(challenge.hex(), asked, owner, self._monotonic())
        return challenge

    def _taken(self, challenge: bytes, purpose: str) -> bytes:
        """Return a challenge that was given for a purpose. It is used up in any case."""
        asked = self._asked.take(challenge.hex(), self._monotonic())
        if asked is None or asked.purpose != purpose:
            raise PasskeyRefused("its challenge is unknown, was used, or is too old")
        return asked.challenge

    def _read(self, text: str, purpose: str) -> tuple[Assertion, bytes]:
        assertion = Assertion.read(text)
        return assertion, self._taken(assertion.challenge, purpose)

    def _owner(
        self, assertion: Assertion, email: str | None = None
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
            error = "your record was changed at the same moment"
            raise AdminError(ErrorKind.STALE, error, "load the page again")


def _checked_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        remedy = f"write at most {LONGEST_NAME} characters"
        raise AdminError(ErrorKind.INVALID, "this name is too long, or cannot be shown", remedy)
    return name or UNNAMED


def _passkey_of(user: PortalUser, key: str) -> PortalPasskey:
    found = next((one for one in user.passkeys if one.key == key), None)
    if found is None:
        raise AdminError(ErrorKind.NOT_FOUND, "passkey: there is none", "load the page again")
    return found
