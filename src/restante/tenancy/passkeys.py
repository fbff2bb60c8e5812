"""Registrations and assertions of passkeys (WebAuthn level 3, sections 7.1 and 7.2). Pure.

`fido2` makes the options, and checks challenge, web origin, relying party, flags and signature. The
other steps are here: the algorithm, the id, the user handle, backup flags, frames and the counter.
The device must have verified its user, by a PIN or biometrics. So a passkey alone is two factors.

No attestation is asked for: any authenticator that a user trusts is accepted.
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from fido2.server import Fido2Server, to_descriptor
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from restante.mail.unique_json import read_json
from restante.tenancy.portal_user import PortalPasskey, PortalUser

LONGEST_ANSWER: Final = 16_384  # characters
LONGEST_ID: Final = 1023  # octets; section 7.1, step 26
ALGORITHMS: Final = (-7, -8, -257)  # ES256, EdDSA, RS256: the ones that section 5.4 names
CEREMONY_SECONDS: Final = 300.0  # for a person to find the device; section 5.4 recommends it
_VERIFIED: Final = UserVerificationRequirement.REQUIRED
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class NoRelyingParty(ValueError):  # noqa: N818  a refusal
    """The portal's address cannot have passkeys. The text has cause and remedy."""


class PasskeyRefused(Exception):  # noqa: N818  a refusal
    """An answer of a browser is not good. The text is the true reason, for log and audit trail."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The portal, as browsers and authenticators know it."""

    id: str  # a host name
    web_origin: str
    name: str

    @classmethod
    def of_url(cls, url: str, name: str) -> Self:
        """Return the portal at a URL without a path. Raises NoRelyingParty."""
        parts = urlsplit(url.lower())
        host = parts.hostname or ""
        if not host:
            raise NoRelyingParty("the portal has no address: set `url` in `[web]`")
        if _is_address(host):
            remedy = "set `url` in `[web]` to a URL with a host name"
            raise NoRelyingParty(f"browsers have no passkeys for an address ({host}): {remedy}")
        if parts.scheme != "https" and host != "localhost":
            raise NoRelyingParty("browsers have no passkeys without HTTPS: set `url` in `[web]`")
        port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
        return cls(host, f"{parts.scheme}://{host}{port}", name)


@dataclass(frozen=True, slots=True)
class PasskeyRegistration:
    """The answer of a browser that made a passkey, read but not verified."""

    challenge: bytes
    answer: RegistrationResponse

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the JSON form of section 5.1. Raises PasskeyRefused."""
        answer, client = _read(RegistrationResponse.from_dict, text)
        return cls(client.challenge, answer)


@dataclass(frozen=True, slots=True)
class PasskeyAssertion:
    """The answer of a browser that used a passkey, read but not verified."""

    challenge: bytes
    credential_id: bytes
    answer: AuthenticationResponse

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the JSON form of section 5.1. Raises PasskeyRefused."""
        answer, client = _read(AuthenticationResponse.from_dict, text)
        return cls(client.challenge, answer.raw_id, answer)


def registration_options(
    party: RelyingParty, user: PortalUser, challenge: bytes
) -> Mapping[str, Any]:
    """Return the JSON options for a browser that makes a passkey of a user."""
    options, _ = _server(party).register_begin(
        PublicKeyCredentialUserEntity(id=user.handle, name=user.email, display_name=user.email),
        credentials=[AttestedCredentialData(one.credential) for one in user.passkeys],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=_VERIFIED,
        challenge=challenge,
    )
    return _plain(options.public_key)


def assertion_options(
    party: RelyingParty, challenge: bytes, passkeys: Sequence[PortalPasskey] = ()
) -> Mapping[str, Any]:
    """Return the JSON options for a browser that uses one of these passkeys; any without them.

    For a stranger no passkey is named: the options tell nothing about users.
    """
    known = [to_descriptor(AttestedCredentialData(one.credential)) for one in passkeys]
    options, _ = _server(party).authenticate_begin(
        credentials=known or None, user_verification=_VERIFIED, challenge=challenge
    )
    return _plain(options.public_key)


def registered(
    party: RelyingParty, challenge: bytes, registration: PasskeyRegistration, name: str, now: float
) -> PortalPasskey:
    """Return the passkey that a browser made for a challenge. Raises PasskeyRefused.

    That nobody has the credential yet is for the caller to check.
    """
    server = _server(party)
    found: AuthenticatorData = _checked(
        server.register_complete, _state(challenge), registration.answer
    )
    _check_client(registration.answer.response.client_data, found)
    credential = found.credential_data
    if credential is None or credential.credential_id != registration.answer.raw_id:
        raise PasskeyRefused("it has no credential of its id")
    if not 0 < len(credential.credential_id) <= LONGEST_ID:
        raise PasskeyRefused("its id is too long")
    if credential.public_key.get(3) not in ALGORITHMS:
        raise PasskeyRefused("its key has an algorithm that was not offered")
    return PortalPasskey(bytes(credential), name, found.counter, now)


def asserted(
    party: RelyingParty,
    challenge: bytes,
    assertion: PasskeyAssertion,
    user: PortalUser,
    passkey: PortalPasskey,
    *,
    is_stranger: bool,
) -> int:
    """Return the counter of a user's passkey that signed a challenge. Raises PasskeyRefused.

    `is_stranger`: nobody said before who it is, so the passkey must.
    """
    known = [AttestedCredentialData(passkey.credential)]
    _checked(_server(party).authenticate_complete, _state(challenge), known, assertion.answer)
    response = assertion.answer.response
    found = response.authenticator_data
    _check_client(response.client_data, found)
    is_silent = not response.user_handle and not is_stranger
    if not is_silent and response.user_handle != user.handle:
        raise PasskeyRefused("it names another user")
    if _goes_back(passkey.sign_count, found.counter):
        raise PasskeyRefused("its counter went back: there may be a copy of this passkey")
    return found.counter


def _plain(options: Any) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return found


def _goes_back(before: int, now: int) -> bool:
    """Return whether a counter shows that there may be a copy (section 6.1.1).

    Authenticators that do not count always tell 0.
    """
    return (before > 0 or now > 0) and now <= before


def _server(party: RelyingParty) -> Fido2Server:
    entity = PublicKeyCredentialRpEntity(id=party.id, name=party.name)
    server = Fido2Server(entity, verify_origin=lambda web_origin: web_origin == party.web_origin)
    server.timeout = int(CEREMONY_SECONDS * 1000)  # type: ignore[assignment]
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=one)
        for one in ALGORITHMS
    ]
    return server


def _state(challenge: bytes) -> Mapping[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": _VERIFIED}


def _read(parse: Any, text: str) -> tuple[Any, CollectedClientData]:
    """Return what a browser sent, and the data that it signed. Raises PasskeyRefused."""
    if len(text) > LONGEST_ANSWER:
        raise PasskeyRefused("it is too long")
    try:
        answer = parse(read_json(text))
        client: CollectedClientData = answer.response.client_data
    except Exception as error:  # a stranger's octets, in three formats
        raise PasskeyRefused("it does not have the form of WebAuthn") from error
    return answer, client


def _checked(check: Any, *arguments: object) -> Any:
    """Return the result of a check by `fido2`. Raises PasskeyRefused."""
    try:
        return check(*arguments)
    except ValueError as error:
        raise PasskeyRefused(f"it was refused: {error}") from error
    except Exception as error:  # keys and signatures are a stranger's too
        raise PasskeyRefused("its key or signature cannot be read") from error


def _check_client(client: CollectedClientData, found: AuthenticatorData) -> None:
    """Raise PasskeyRefused for a frame of a strange site, and for flags that cannot be."""
    if client.cross_origin:
        raise PasskeyRefused("it was made in a frame of another site")
    if found.flags & AuthenticatorData.FLAG.BS and not found.flags & AuthenticatorData.FLAG.BE:
        raise PasskeyRefused("its flags contradict each other")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
