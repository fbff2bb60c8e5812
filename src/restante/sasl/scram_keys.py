"""The keys of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), and the verifier that a server stores.

Deriving keys takes milliseconds, one HMAC for each iteration: callers keep it off the event loop.
Checking a proof against a verifier takes microseconds.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Final

from restante.tenancy.saslprep import prepared_password

ITERATIONS: Final = 15_000  # for new verifiers (RFC 7677 §4); a few milliseconds
SALT_OCTETS: Final = 16
KEY_OCTETS: Final = 32
_HASH: Final = "sha256"
_SCHEME: Final = "SCRAM-SHA-256"


@dataclass(frozen=True, slots=True)
class Salting:
    """How a password is hashed. The server tells it to each client that names a user."""

    salt: bytes
    iterations: int


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """The keys by which a server checks proofs and proves itself. The password is not in it."""

    salting: Salting
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    def check(self, auth_message: bytes, proof: bytes) -> bytes | None:
        """Return the server's signature if the client's proof is right, else None."""
        client_key = _xor(proof, _hmac(self.stored_key, auth_message))
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self.stored_key):
            return None
        return _hmac(self.server_key, auth_message)

    @property
    def text(self) -> str:
        """Spell it as RFC 5803 does: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`."""
        salt, stored, server = (
            _base64(each) for each in (self.salting.salt, self.stored_key, self.server_key)
        )
        return f"{_SCHEME}${self.salting.iterations}:{salt}${stored}:{server}"


def salted_password(password: str, salting: Salting) -> bytes:
    """Return the octets from which both sides derive keys (RFC 5802 §2.2, Hi). Slow on purpose."""
    return hashlib.pbkdf2_hmac(_HASH, prepared_password(password), salting.salt, salting.iterations)


def verifier_of(password: str, salting: Salting) -> ScramVerifier:
    """Return the verifier of a password. Slow on purpose."""
    salted = salted_password(password, salting)
    stored_key = hashlib.sha256(_client_key(salted)).digest()
    return ScramVerifier(salting, stored_key, _server_key(salted))


def new_verifier(password: str) -> ScramVerifier:
    """Return a verifier under a salt of its own. Slow on purpose."""
    return verifier_of(password, Salting(token_bytes(SALT_OCTETS), ITERATIONS))


def read_verifier(text: str) -> ScramVerifier:
    """Read back what `ScramVerifier.text` spelled. Raises ValueError."""
    scheme, salting, keys = text.split("$")
    if scheme != _SCHEME:
        raise ValueError(f"{scheme}: is not a known scheme")
    iterations, salt = salting.split(":")
    stored_key, server_key = keys.split(":")
    return ScramVerifier(
        Salting(_octets(salt), int(iterations)), _octets(stored_key), _octets(server_key)
    )


def client_proof(salted: bytes, auth_message: bytes) -> bytes:
    """Return what proves to the server that the client knows the password."""
    client_key = _client_key(salted)
    return _xor(client_key, _hmac(hashlib.sha256(client_key).digest(), auth_message))


def server_signature(salted: bytes, auth_message: bytes) -> bytes:
    """Return what a server must answer that knows the password."""
    return _hmac(_server_key(salted), auth_message)


def _client_key(salted: bytes) -> bytes:
    return _hmac(salted, b"Client Key")


def _server_key(salted: bytes) -> bytes:
    return _hmac(salted, b"Server Key")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, _HASH)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
