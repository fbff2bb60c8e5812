"""Signs users in to the portal.

A refusal has one text and takes the same time, whether or not there is such a user. The true reason
goes to the log and the audit trail. The one-time code comes with the password, so that no answer
tells that a password alone was right.

A code is used up by a change of the user's record, on top of the revision that was examined. So
each code counts once, however many requests bring it at the same moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.own_record import put_own
from restante.admin.portal_hashing import HashingBusy, PortalHashing
from restante.admin.sign_in_limits import SignInLimits
from restante.admin.stranger_passwords import PasswordsUnchecked
from restante.request_limits.failed_logins import RateLimit, ShareLedger, share_with_nobody
from restante.telemetry.events import InternalError, SignInRefused
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import IpAddress
from restante.tenancy.one_time_codes import hash_recovery_code, step_of_code
from restante.tenancy.password_rules import LONGEST
from restante.tenancy.portal_user import PortalUser, canonical_email
from restante.tenancy.sealed_secrets import SealBroken, Vault, code_secret_owner
from restante.tenancy.sign_in_factor import Factors, SignInFactor

REFUSED: Final = "The address, the password or the code is wrong."
WRONG_FACTOR: Final = "This is wrong."
TOO_MANY: Final = "There were too many attempts. Wait a quarter of an hour, and try again."
BUSY: Final = "Too many people sign in at this moment. Try again."
ENTRIES_A_MINUTE: Final = 60  # of refusals, in the audit trail
_TRIES: Final = 3  # to store a change while others change the same user


class SignInDenied(Exception):  # noqa: N818
    """Nobody was signed in. The text is for the person; it is the same for every user."""

    def __init__(self, text: str = REFUSED, *, is_flood: bool = False) -> None:
        """`is_flood`: nothing was examined."""
        super().__init__(text)
        self.is_flood = is_flood


@dataclass(frozen=True, slots=True)
class SignInCredentials:
    """Typed by somebody. No trace or log may have them."""

    email: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)  # of the app, or a recovery code


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user who proved to be that user, and how."""

    user: PortalUser
    factors: Factors


@dataclass(frozen=True, slots=True)
class _UsedCode:
    """A code that is right: its factor, and the fields of the user that use it up."""

    factors: Factors
    fields: Mapping[str, Any]


class SignInService:
    """Examines passwords and codes. Belongs to the event loop."""

    def __init__(
        self,
        context: AdminContext,
        hashing: PortalHashing,
        monotonic: Callable[[], float],
        share: ShareLedger = share_with_nobody,
    ) -> None:
        """`monotonic` is in seconds that only grow. `share` shares failures with other servers."""
        self._context = context
        self._hashing = hashing
        self._monotonic = monotonic
        self._limits = SignInLimits(monotonic, share)
        self._entries = RateLimit(ENTRIES_A_MINUTE, lambda: context.store.nodes.servers)

    async def sign_in(self, given: SignInCredentials, address: IpAddress) -> SignedIn:
        """Return the user who has signed in. Raises SignInDenied, StoreError."""
        email = _spelled(given.email)
        user = await self.check_password(email, given.password, address)
        if user.needs_second_factor:  # a password alone opens nothing of the platform
            raise await self.refusal(email, "no second factor is set up", address)
        if user.sealed_totp is None and user.passkeys:
            raise await self.refusal(email, "the passkey is missing", address)
        signed_in = await self._use_code(user, given.code, address, is_sign_in=True)
        if signed_in is None:
            raise await self.refusal(email, "wrong or missing one-time code", address)
        self._limits.succeeded(email, address)
        return signed_in

    async def sign_in_otherwise(
        self, user: PortalUser, factors: Factors, address: IpAddress, **fields: Any
    ) -> SignedIn:
        """Record a sign-in by factors that the caller examined, with other values of the user.

        `user` is the record that they were examined by. Raises SignInDenied if it was changed
        meanwhile, StoreError.
        """
        after = user.changed(**fields, signed_in_at=self._context.now())
        if not await self._put(user, after, AuditAction.SIGNED_IN, address):
            raise SignInDenied(BUSY)
        return SignedIn(after, factors)

    async def confirm(self, email: str, given: str, address: IpAddress) -> None:
        """Examine a code of a user who is signed in; without a second factor, the password.

        Raises SignInDenied, StoreError.
        """
        user = self._present(email)
        if user is None or not user.has_second_factor:
            await self.check_password_again(email, given, address)
        else:
            self._begin_again(email)
            if user.sealed_totp is None:
                raise await self.refusal(email, "the passkey is missing", address, WRONG_FACTOR)
            if await self._use_code(user, given, address, is_sign_in=False) is None:
                raise await self.refusal(email, "wrong one-time code", address, WRONG_FACTOR)
        self._limits.succeeded_again(email)

    async def check_password_again(
        self, email: str, password: str, address: IpAddress
    ) -> PortalUser:
        """Return the user who is signed in, if this is the password.

        The attempts of others do not count. Raises SignInDenied, StoreError.
        """
        self._begin_again(email)
        try:
            user = await self._with_password(email, password, address, WRONG_FACTOR, is_known=True)
        except HashingBusy:
            self._limits.take_back_again(email)
            raise SignInDenied(BUSY, is_flood=True) from None
        self._limits.succeeded_again(email)
        return user

    async def check_password(self, email: str, password: str, address: IpAddress) -> PortalUser:
        """Return the user whose password this is. Raises SignInDenied, StoreError.

        The attempt stays a failed one until `succeeded`.
        """
        self._begin(email, address)
        is_known = self._limits.is_known(email, address)
        try:
            return await self._with_password(email, password, address, REFUSED, is_known=is_known)
        except (HashingBusy, PasswordsUnchecked) as error:
            self._limits.take_back(email, address)
            if self._context.parts.log and isinstance(error, PasswordsUnchecked):
                self._context.parts.log.publish(
                    InternalError(error=error, doing=WorkWord.REQUEST, request="sign-in")
                )
            raise SignInDenied(BUSY, is_flood=True) from None

    async def _with_password(
        self, email: str, password: str, address: IpAddress, refused: str, *, is_known: bool
    ) -> PortalUser:
        user = self._present(email)
        hashes = (user.password_hash,) if user is not None and user.password_hash else ()
        typed = password if len(password) <= LONGEST else ""
        is_right = await self._hashing.any_matches(hashes, typed, is_known=is_known)
        present = self._present(email)  # as it is after the hash
        if user is None or present is None or not is_right or present.stamp != user.stamp:
            reason = "wrong password" if hashes else "no such user, or never signed in"
            raise await self.refusal(email, reason, address, refused)
        return present

    def succeeded(self, email: str, address: IpAddress) -> None:
        """Note that an attempt was no failure after all."""
        self._limits.succeeded(email, address)

    async def refusal(
        self, email: str, reason: str, address: IpAddress, text: str = REFUSED
    ) -> SignInDenied:
        """Record why somebody is refused, and return the error with the text for the person.

        The audit trail gets a number of entries a minute. Raises StoreError.
        """
        user = self._present(email)
        account = user.account if user is not None else ""
        if self._context.parts.log:
            self._context.parts.log.publish(
                SignInRefused(portal_user=email, account=account, peer=str(address), reason=reason)
            )
        if self._entries.allows("", self._monotonic()):
            entry = AuditEntry(
                self._context.now(),
                AuditAction.SIGN_IN_REFUSED,
                "anonymous",
                email,
                account,
                acted_from=str(address),
                answer=text,
                reason=reason,
            )
            await self._context.store.audit.record([entry])
        return SignInDenied(text)

    def _begin(self, email: str, address: IpAddress) -> None:
        if not self._limits.begin(email, address):
            raise SignInDenied(TOO_MANY, is_flood=True)

    def _begin_again(self, email: str) -> None:
        if not self._limits.begin_again(email):
            raise SignInDenied(TOO_MANY, is_flood=True)

    def _present(self, email: str) -> PortalUser | None:
        return self._context.directory.now.portal_users.get(email)

    async def _use_code(
        self, examined: PortalUser, code: str, address: IpAddress, *, is_sign_in: bool
    ) -> SignedIn | None:
        """Use up a code of a user; None if it is wrong or missing where one is needed.

        Raises SignInDenied while others change the user again and again.
        """
        for _ in range(_TRIES):
            user = self._present(examined.email)
            used = self._examine_code(user, code) if user is not None else None
            if user is None or used is None or user.stamp != examined.stamp:
                return None
            fields, action = used.fields, AuditAction.FACTOR_SHOWN
            if is_sign_in:
                fields = {**fields, "signed_in_at": self._context.now()}
                action = AuditAction.SIGNED_IN
            after = user.changed(**fields)
            if await self._put(user, after, action, address):
                return SignedIn(after, (SignInFactor.PASSWORD, *used.factors))
        raise SignInDenied(BUSY)

    def _examine_code(self, user: PortalUser, code: str) -> _UsedCode | None:
        if user.sealed_totp is None:
            return _UsedCode((), {})
        step = step_of(self._context.vault, user, code, self._context.now())
        if step is not None:
            return _UsedCode((SignInFactor.ONE_TIME_CODE,), {"totp_step": step})
        used = hash_recovery_code(code)
        if used in user.recovery_hashes:
            left = tuple(one for one in user.recovery_hashes if one != used)
            return _UsedCode((SignInFactor.RECOVERY_CODE,), {"recovery_hashes": left})
        return None

    async def _put(
        self, before: PortalUser, after: PortalUser, action: AuditAction, address: IpAddress
    ) -> bool:
        return await put_own(self._context, before, after, action, str(address))


def step_of(vault: Vault, user: PortalUser, code: str, now: float) -> int | None:
    """Return the step of a user's one-time code; None if it is wrong, used, or there is none."""
    if user.sealed_totp is None:
        return None
    try:
        secret = vault.open(user.sealed_totp, code_secret_owner(user.email))
    except SealBroken:  # another key file: a recovery code, or a new invitation, helps
        return None
    return step_of_code(secret, code, now, user.totp_step)


def _spelled(email: str) -> str:
    """Return the address as it is recorded; "" for a text that is no address."""
    try:
        return canonical_email(email)
    except ValueError:
        return ""
