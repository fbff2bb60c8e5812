"""ID tokens of a provider of OpenID Connect (Core 1.0, section 3.1.3.7). Pure.

The issuer must be the configured one, the audience this server, the nonce that of the sign-in, and
the time now. The algorithm comes from a closed list of signatures with public keys. So `none`, and
a public key that is taken for a shared secret, are refused before anything is verified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwk, jws
from joserfc.jwk import RSAKey

from restante.mail.unique_json import read_json
from restante.phrases import HAS_EXPIRED

LONGEST_TOKEN: Final = 65_536  # characters; tokens with many groups are long
MOST_KEYS: Final = 100  # of a provider
SKEW_SECONDS: Final = 60.0  # by which the clocks of provider and server may differ
LONGEST_SUBJECT: Final = 255  # characters; section 2
MIN_RSA_BITS: Final = 2048
# By the type of key that each needs.
_ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"Ed25519"}),
}
_ALL_ALGORITHMS: Final = frozenset().union(*_ALGORITHMS.values())


class IdTokenRefused(Exception):  # noqa: N818  a refusal
    """An ID token is not good. The text is the true reason, for log and audit trail."""


class KeyNotKnown(IdTokenRefused):
    """No present key of the provider has the id in the token: it may have a new one."""


class KeysUnfit(Exception):  # noqa: N818
    """The keys of a provider cannot be read."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A public key of a provider."""

    id: str  # "" without one
    algorithm: str  # the only one for which it is; "" for any that suits its type
    key: Any  # of joserfc

    def suits(self, algorithm: str, key_id: str | None) -> bool:
        """Return whether a token with this header may be signed by it."""
        return (
            algorithm in _ALGORITHMS[self.key.key_type]
            and self.algorithm in ("", algorithm)
            and key_id in (None, self.id)
        )


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """The values that the token of one sign-in must have."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A person as a provider knows them. Only issuer and subject are the identity."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    authenticated_at: float | None  # Unix time, if the provider tells it

    def text(self, claim: str) -> str:
        """Return a claim that is a text, "" otherwise."""
        found = self.claims.get(claim)
        return found if isinstance(found, str) else ""

    def texts(self, claim: str) -> frozenset[str]:
        """Return a claim that is a list of texts, or one text."""
        found = self.claims.get(claim)
        values = [found] if isinstance(found, str) else found
        if not isinstance(values, list):
            return frozenset()
        return frozenset(one for one in values if isinstance(one, str))


def parse_key_set(document: bytes) -> Sequence[ProviderKey]:
    """Return the signing keys in a JSON Web Key Set (RFC 7517). Raises KeysUnfit.

    Keys of other types and for other uses are left out, and so are secret ones.
    """
    try:
        listed = read_json(document)["keys"]
        entries = [one for one in listed if isinstance(one, dict)]
    except Exception as error:  # a stranger's octets
        raise KeysUnfit("its keys are no JSON Web Key Set") from error
    if len(entries) > MOST_KEYS:
        raise KeysUnfit(f"it has more than {MOST_KEYS} keys")
    found = [key for one in entries if (key := _read_key(one)) is not None]
    if not found:
        raise KeysUnfit("it has no key for signatures that is supported")
    return found


def verified_identity(
    token: str, keys: Sequence[ProviderKey], expected: ExpectedToken, now: float
) -> ProvenIdentity:
    """Return the person that a token proves. Raises IdTokenRefused, KeyNotKnown."""
    claims = _verified_claims(token, keys)
    _check_parties(claims, expected)
    _check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise IdTokenRefused("the ID token names no subject")
    if not subject.isprintable():
        raise IdTokenRefused("the subject of the ID token has control characters")
    return ProvenIdentity(expected.issuer, subject, claims, _time(claims, "auth_time"))


def _read_key(entry: dict[str, Any]) -> ProviderKey | None:
    if entry.get("kty") not in _ALGORITHMS or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwk.import_key(entry)
        is_weak = isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS
        if is_weak or key.is_private:
            return None
    except Exception:  # noqa: BLE001  one that we cannot read signs nothing for us
        return None
    key_id, algorithm = entry.get("kid", ""), entry.get("alg", "")
    if not isinstance(key_id, str) or not isinstance(algorithm, str):
        return None
    return ProviderKey(key_id, algorithm, key)


def _verified_claims(token: str, keys: Sequence[ProviderKey]) -> Mapping[str, Any]:
    """Return the claims of a token that one of the keys has signed."""
    if len(token) > LONGEST_TOKEN:
        raise IdTokenRefused("the ID token is too long")
    try:
        parts = jws.extract_compact(token.encode("ascii"))
        header = parts.headers()
    except Exception as error:  # a stranger's octets
        raise IdTokenRefused("the ID token is not a signed token") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in _ALL_ALGORITHMS:
        raise IdTokenRefused(f"the ID token has the algorithm {str(algorithm)[:20]!r}")
    suitable = [one for one in keys if one.suits(algorithm, key_id)]
    if not suitable:
        raise KeyNotKnown("the ID token was signed by a key that the provider does not show")
    if not any(_is_signed(parts, one, algorithm) for one in suitable):
        raise IdTokenRefused("the signature of the ID token is wrong")
    try:
        claims = read_json(parts.payload or b"")
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise IdTokenRefused("the ID token has no claims")
    return claims


def _is_signed(parts: jws.CompactSignature, key: ProviderKey, algorithm: str) -> bool:
    try:
        return jws.validate_compact(parts, key.key, [algorithm])
    except Exception:  # noqa: BLE001  a curve that does not suit, a header that is critical
        return False


def _check_parties(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenRefused("the ID token is from another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IdTokenRefused("the ID token is for another audience")
    party = claims.get("azp")
    if party not in (None, expected.client_id) or (party is None and len(audiences) > 1):
        raise IdTokenRefused("the ID token was issued to another party")
    if claims.get("nonce") != expected.nonce:
        raise IdTokenRefused("the ID token has the nonce of another sign-in")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires is None or issued is None:
        raise IdTokenRefused("the ID token has no times")
    if now >= expires + SKEW_SECONDS:
        raise IdTokenRefused(f"the ID token {HAS_EXPIRED}, or a clock is wrong")
    begins = _time(claims, "nbf")
    if now < max(issued, issued if begins is None else begins) - SKEW_SECONDS:
        raise IdTokenRefused("the ID token is from the future: a clock is wrong")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IdTokenRefused(f"the time {name} of the ID token is not a number")
    return float(value)
