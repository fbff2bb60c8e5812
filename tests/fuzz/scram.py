"""An input as each message of SCRAM, to both sides. Called by the target for SASL.

The rule: each message is answered or refused, nothing else. The right password gets in after any
first message, and only the right proof counts, on either side.
"""

import hmac
from typing import Final

from restante.sasl.mechanism import BadResponse, Challenge, ScramCredentials
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_client import MAX_ITERATIONS, BadChallenge, ScramClient
from restante.sasl.scram_keys import (
    Salting,
    client_proof,
    salted_password,
    server_signature,
    verifier_of,
)
from restante.sasl.scram_messages import encoded, read_client_first, server_final
from restante.tenancy.saslprep import prepared_password, saslprep

_SALTING: Final = Salting(b"salt", 1)
_SALTED: Final = salted_password("secret", _SALTING)
_VERIFIER: Final = verifier_of("secret", _SALTING)
_FIRST: Final = b"n,,n=a,r=CLIENT"
_SERVER_FIRST: Final = b"r=CLIENTSERVER,s=c2FsdA==,i=1"


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    _check_preparation(data.decode("utf-8", "surrogateescape"))
    _check_first(data)
    _check_final(data)
    _check_server_first(data)
    _check_server_final(data)


def _check_preparation(text: str) -> None:
    assert prepared_password(text) is not None
    try:
        prepared = saslprep(text)
    except ValueError:
        return
    assert saslprep(prepared) == prepared


def _server() -> ScramSha256:
    return ScramSha256("SERVER", lambda _user: _SALTING)


def _check_first(data: bytes) -> None:
    server = _server()
    try:
        challenge = server.begin(data)
    except BadResponse:
        return
    first = read_client_first(data)
    assert first.user == saslprep(first.user)
    assert challenge == Challenge(f"r={first.nonce}SERVER,s=c2FsdA==,i=1".encode())
    bare = f"c={encoded(first.gs2_header)},r={first.nonce}SERVER".encode()
    message = b",".join((first.bare, challenge.text, bare))
    credentials = server.respond(bare + f",p={encoded(client_proof(_SALTED, message))}".encode())
    assert isinstance(credentials, ScramCredentials)
    assert credentials.user == first.user
    assert _VERIFIER.check(credentials.auth_message, credentials.proof) == server_signature(
        _SALTED, message
    )


def _check_final(data: bytes) -> None:
    server = _server()
    assert server.begin(_FIRST) == Challenge(_SERVER_FIRST)
    try:
        credentials = server.respond(data)
    except BadResponse:
        return
    assert isinstance(credentials, ScramCredentials)
    assert credentials.user == "a"
    message = b",".join((b"n=a,r=CLIENT", _SERVER_FIRST, data.rpartition(b",p=")[0]))
    assert credentials.auth_message == message
    is_right = credentials.proof == client_proof(_SALTED, message)
    assert (_VERIFIER.check(message, credentials.proof) is not None) == is_right


def _check_server_first(data: bytes) -> None:
    client = ScramClient("a", "CLIENT")
    assert client.first() == _FIRST
    try:
        salting = client.take_server_first(data)
    except BadChallenge:
        return
    assert 0 < salting.iterations <= MAX_ITERATIONS
    final = client.final(_SALTED)
    message = b",".join((b"n=a,r=CLIENT", data, final.rpartition(b",p=")[0]))
    client.take_server_final(server_final(server_signature(_SALTED, message)))
    client.require_proof()


def _check_server_final(data: bytes) -> None:
    client = ScramClient("a", "CLIENT")
    client.take_server_first(_SERVER_FIRST)
    message = b",".join(
        (b"n=a,r=CLIENT", _SERVER_FIRST, client.final(_SALTED).rpartition(b",p=")[0])
    )
    right = server_final(server_signature(_SALTED, message))
    try:
        client.take_server_final(data)
    except BadChallenge:
        assert not hmac.compare_digest(data, right)
        return
    assert data[:45] == right[:45], "another signature was taken"  # base64 may end in other bits
