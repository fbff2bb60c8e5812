"""Users of the portal set their own password and second factor: invited, or signed in.

An invitation is used up by the one change of the record that sets the password and the second
factor. So a link that a mail filter opened is still good, and no user is left half set up.
"""

from dataclasses import dataclass
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.own_record import put_own
from restante.admin.portal_hashing import HashingBusy, PortalHashing
from restante.admin.sign_in import BUSY, SignedIn, SignInDenied
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import IpAddress
from restante.tenancy.one_time_codes import (
    code_uri,
    hash_recovery_code,
    new_code_secret,
    new_recovery_codes,
    step_of_code,
)
from restante.tenancy.password_rules import objection_to_password
from restante.tenancy.passwords import hash_password
from restante.tenancy.portal_user import PortalUser, hash_link_secret
from restante.tenancy.sealed_secrets import SealBroken, code_secret_owner
from restante.tenancy.sign_in_factor import SignInFactor

LINK_OVER: Final = "This link was used, or its time is over."
NEEDS_CODE: Final = "An operator needs a one-time code beside the password."
WRONG_CODE: Final = "This code is not the one that the app shows now."


@dataclass(frozen=True, slots=True)
class CodeOffer:
    """A secret for an app of one-time codes, before it is the user's. Only that user may see it."""

    secret: str  # Base32
    uri: str  # for a QR code
    sealed: str  # the secret, sealed for this user: the form brings it back


@dataclass(frozen=True, slots=True)
class NewCredentials:
    """Typed by a user who sets up or replaces the means to sign in."""

    password: str
    sealed_code: str = ""  # of the offer
    code: str = ""  # of the app; "" for none


@dataclass(frozen=True, slots=True)
class SetUp:
    """A user who is set up, and the recovery codes, which nothing shows again."""

    signed_in: SignedIn
    recovery_codes: tuple[str, ...]


class OwnCredentials:
    """Sets the means by which users sign in. Belongs to the event loop."""

    def __init__(self, context: AdminContext, hashing: PortalHashing, issuer: str) -> None:
        """`issuer` is the name beside the codes in the app."""
        self._context = context
        self._hashing = hashing
        self._issuer = issuer

    def invited(self, secret: str) -> PortalUser | None:
        """Return the user that an invitation is for; None if it is not good."""
        user = self._context.directory.now.invited_by(hash_link_secret(secret))
        if user is None or not user.is_invited_by(secret, self._context.now()):
            return None
        return user

    def offer_code(self, user: PortalUser, sealed: str = "") -> CodeOffer:
        """Return a secret for the user's app: the one that is sealed, otherwise a new one."""
        secret = self._opened(user, sealed)
        if secret is None:
            secret = new_code_secret()
            sealed = self._context.vault.seal(secret, _offer_owner(user)).hex()
        return CodeOffer(secret, code_uri(secret, user.email, self._issuer), sealed)

    async def accept(self, secret: str, given: NewCredentials, address: IpAddress) -> SetUp:
        """Set up a user who was invited. The invitation is over then.

        Raises SignInDenied, AdminError for a password or code that is not good, StoreError.
        """
        user = self.invited(secret)
        if user is None:
            raise SignInDenied(LINK_OVER)
        code_fields, recovery_codes = self._code_fields(user, given)
        password_hash = await self._hash(user, given.password)
        accepted = user.changed(
            **code_fields,
            password_hash=password_hash,
            passkeys=(),
            invitation=None,
            signed_in_at=self._context.now(),
        )
        # Used at the same moment, or changed while the password was hashed: it is over.
        if not await self._put(user, accepted, address):
            raise SignInDenied(LINK_OVER)
        code = (SignInFactor.ONE_TIME_CODE,) if recovery_codes else ()
        return SetUp(SignedIn(accepted, (SignInFactor.PASSWORD, *code)), recovery_codes)

    async def change_password(
        self, user: PortalUser, password: str, address: IpAddress
    ) -> PortalUser:
        """Set another password of a user who proved the present one. It ends every session.

        Raises SignInDenied, AdminError, StoreError.
        """
        password_hash = await self._hash(user, password)
        return await self._change(user, address, password_hash=password_hash)

    async def new_recovery_codes(self, user: PortalUser, address: IpAddress) -> tuple[str, ...]:
        """Replace the recovery codes, and return them. Raises AdminError, StoreError."""
        codes = new_recovery_codes()
        await self._change(user, address, recovery_hashes=tuple(map(hash_recovery_code, codes)))
        return codes

    async def set_up_code(
        self, user: PortalUser, given: NewCredentials, address: IpAddress
    ) -> tuple[PortalUser, tuple[str, ...]]:
        """Give a user an app for codes, in the place of the one before. It ends every session.

        Return the user and the recovery codes. Raises AdminError, StoreError.
        """
        fields, codes = self._code_fields(user, given)
        return await self._change(user, address, **fields), codes

    async def _change(self, user: PortalUser, address: IpAddress, **fields: Any) -> PortalUser:
        after = user.changed(**fields)
        if not await self._put(user, after, address):
            error = "your record was changed meanwhile"
            raise AdminError(ErrorKind.STALE, error, "load the page again")
        return after

    def _code_fields(
        self, user: PortalUser, given: NewCredentials
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the fields of the user's record for an app, and the recovery codes."""
        if not given.code:
            if not user.account:
                raise AdminError(ErrorKind.INVALID, NEEDS_CODE, "type the six digits of the app")
            return {"sealed_totp": None, "totp_step": 0, "recovery_hashes": ()}, ()
        secret = self._opened(user, given.sealed_code)
        step = None if secret is None else step_of_code(secret, given.code, self._context.now(), 0)
        if secret is None or step is None:
            raise AdminError(ErrorKind.INVALID, WRONG_CODE, "wait for the next one, and type it")
        codes = new_recovery_codes()
        fields = {
            "sealed_totp": self._context.vault.seal(secret, code_secret_owner(user.email)),
            "totp_step": step,
            "recovery_hashes": tuple(map(hash_recovery_code, codes)),
        }
        return fields, codes

    def _opened(self, user: PortalUser, sealed: str) -> str | None:
        """Return the secret of an offer that was made to this user; None of another text."""
        try:
            return self._context.vault.open(bytes.fromhex(sealed), _offer_owner(user))
        except (SealBroken, ValueError):
            return None

    async def _hash(self, user: PortalUser, password: str) -> str:
        objection = objection_to_password(password, user.email)
        if objection is not None:
            remedy = "use several words that only you would combine"
            raise AdminError(ErrorKind.INVALID, f"this password {objection}", remedy)
        try:
            return await self._hashing.of_known(lambda: hash_password(password))
        except HashingBusy:
            raise SignInDenied(BUSY, is_flood=True) from None

    async def _put(self, before: PortalUser, after: PortalUser, address: IpAddress) -> bool:
        return await put_own(self._context, before, after, AuditAction.USER_CHANGED, str(address))


def _offer_owner(user: PortalUser) -> str:
    return f"offered one-time codes of {user.email}"
