"""SCRAM-SHA-256, server side (RFC 5802, RFC 7677): both sides prove that they know the password.

    client                                   server
    -------------------------------------    --------------------------------------------------
    n,,n=user,r=NONCE                        r=NONCE+OURS,s=salt,i=iterations    for any user
    c=biws,r=NONCE+OURS,p=proof              v=signature, or a refusal
    (nothing)                                235

The mechanism gets the salt of a user from a function over facts in memory. The proof is checked
outside, and the session sends the signature (RFC 4954 §4).

A client may say that it could bind the channel and believes that we cannot (`y`). That is true: no
-PLUS mechanism is offered. A client that insists on channel binding (`p=`) is refused.
"""

from collections.abc import Callable

from restante.sasl.mechanism import BadResponse, Challenge, ScramCredentials
from restante.sasl.scram_keys import Salting
from restante.sasl.scram_messages import ClientFirst, encoded, read_client_final, read_client_first


class ScramSha256:
    """One exchange."""

    def __init__(self, nonce: str, salting: Callable[[str], Salting]) -> None:
        """`nonce` is our part, never used before. `salting` answers for unknown users too."""
        self._nonce = nonce
        self._salting = salting
        self._first: ClientFirst | None = None
        self._server_first = b""

    def begin(self, initial: bytes | None) -> Challenge:
        """Take the client's first message. Without an initial response the challenge is empty."""
        return Challenge(b"") if initial is None else self._take_first(initial)

    def respond(self, response: bytes) -> Challenge | ScramCredentials:
        """Take the client's first message, then the final one. Raises BadResponse."""
        first = self._first
        if first is None:
            return self._take_first(response)
        final = read_client_final(response)
        if final.binding != first.gs2_header or final.nonce != first.nonce + self._nonce:
            raise BadResponse
        auth_message = b",".join((first.bare, self._server_first, final.without_proof))
        return ScramCredentials(first.user, auth_message, final.proof)

    def _take_first(self, message: bytes) -> Challenge:
        self._first = first = read_client_first(message)
        salting = self._salting(first.user)
        text = f"r={first.nonce}{self._nonce},s={encoded(salting.salt)},i={salting.iterations}"
        self._server_first = text.encode("ascii")
        return Challenge(self._server_first)
