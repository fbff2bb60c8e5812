"""SCRAM-SHA-256, client side (RFC 5802, RFC 7677). sasl/scram.py shows the messages.

The caller derives the salted password off the event loop: the server sets the number of iterations.
Too many are refused before that.
"""

import hmac
from typing import Final

from restante.sasl.mechanism import BadResponse
from restante.sasl.scram_keys import Salting, client_proof, server_signature
from restante.sasl.scram_messages import encoded, read_server_final, read_server_first, spell_name
from restante.tenancy.saslprep import prepared

MAX_ITERATIONS: Final = 1_000_000  # a server may ask for any number; these take 0.2 to 0.5 s
_UNPROVED: Final = "the server did not prove that it knows the password"
_GS2_HEADER: Final = b"n,,"  # no channel binding, and nobody else's authorization


class BadChallenge(Exception):  # noqa: N818
    """The message does not fit, or does not prove that the server knows the password."""


class ScramClient:
    """One exchange: `first`, `take_server_first`, `final`, `take_server_final`."""

    def __init__(self, user: str, nonce: str) -> None:
        """`nonce` is our part, never used before."""
        self._nonce = nonce
        self._bare = f"n={spell_name(prepared(user))},r={nonce}".encode()
        self._server_first = b""
        self._whole_nonce = ""
        self._signature: bytes | None = None  # due from the server, after our own proof
        self._is_proved = False  # the server knows the password

    def first(self) -> bytes:
        """Return our first message."""
        return _GS2_HEADER + self._bare

    def take_server_first(self, message: bytes) -> Salting:
        """Return the salt and the iterations for the password. Raises BadChallenge."""
        try:
            read = read_server_first(message)
        except BadResponse:
            raise BadChallenge("the SCRAM challenge cannot be read") from None
        if not read.nonce.startswith(self._nonce) or read.nonce == self._nonce:
            raise BadChallenge("the SCRAM challenge does not match our message")
        if read.salting.iterations > MAX_ITERATIONS:
            raise BadChallenge(
                f"SCRAM with {read.salting.iterations} iterations; the limit is {MAX_ITERATIONS}"
            )
        self._server_first, self._whole_nonce = message, read.nonce
        return read.salting

    def final(self, salted: bytes) -> bytes:
        """Return our second message, which proves that we know the password."""
        without_proof = f"c={encoded(_GS2_HEADER)},r={self._whole_nonce}".encode()
        auth_message = b",".join((self._bare, self._server_first, without_proof))
        self._signature = server_signature(salted, auth_message)
        return without_proof + f",p={encoded(client_proof(salted, auth_message))}".encode()

    def take_server_final(self, message: bytes) -> None:
        """Take the server's proof. Raises BadChallenge where it is none."""
        try:
            signature = read_server_final(message)
        except BadResponse:
            signature = b""
        if self._signature is None or not hmac.compare_digest(signature, self._signature):
            raise BadChallenge(_UNPROVED)
        self._is_proved = True

    def require_proof(self) -> None:
        """Raise BadChallenge unless the server has proved itself. Call this at its success."""
        if not self._is_proved:
            raise BadChallenge(_UNPROVED)
