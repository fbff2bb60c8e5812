"""The messages of SCRAM (RFC 5802 §5, §7), each read strictly by its grammar.

Both sides sign the octets as they went over the wire, so readers keep those octets.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final

from restante.sasl.mechanism import BadResponse
from restante.sasl.scram_keys import KEY_OCTETS, Salting
from restante.tenancy.saslprep import saslprep

_MAX_NONCE: Final = 1024  # characters of one side's part; clients send 20 to 64
_NONCE_OCTETS: Final = 18
_NONCE: Final = re.compile(r"[!-+\--~]+\Z")  # printable: ASCII without blank and comma
_NAME: Final = re.compile(r"(?:[^\0=,]|=2C|=3D)+\Z")  # saslname
_EXTENSION: Final = re.compile(r"[A-Za-z]=[^\0,]+\Z")  # attr-val; unknown ones are ignored
_COUNT: Final = re.compile(r"[1-9][0-9]{0,9}\Z")
_GS2_PARTS: Final = 2  # flag and authorization identity, before the message proper


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """The client's first message."""

    gs2_header: bytes
    bare: bytes  # all behind the header
    user: str
    nonce: str


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """The client's second message."""

    without_proof: bytes
    binding: bytes  # the GS2 header again
    nonce: str  # both sides' together
    proof: bytes


@dataclass(frozen=True, slots=True)
class ServerFirst:
    """The server's first message."""

    nonce: str  # both sides' together
    salting: Salting


def new_nonce() -> str:
    """Return a part of the nonce that was never used."""
    return token_urlsafe(_NONCE_OCTETS)


def read_client_first(message: bytes) -> ClientFirst:
    """Read it. Raises BadResponse, also for a client that insists on channel binding."""
    flag, authorization, *attributes = _text(message).split(",")
    if flag not in ("n", "y") or not attributes:  # "p=…": channel binding
        raise BadResponse
    user = _name(_value(attributes[0], "n"))
    nonce = _value(attributes[1] if len(attributes) > 1 else "", "r")
    if len(nonce) > _MAX_NONCE or not _NONCE.match(nonce):
        raise BadResponse
    _check_extensions(attributes[2:])
    if authorization and _name(_value(authorization, "a")) != user:  # nobody acts for another here
        raise BadResponse
    header, bare = _split_header(message)
    return ClientFirst(header, bare, user, nonce)


def read_client_final(message: bytes) -> ClientFinal:
    """Read it. Raises BadResponse."""
    binding, nonce, *extensions, proof = _attributes(message, least=3)
    _check_extensions(extensions)
    octets = _decoded(_value(proof, "p"))
    if len(octets) != KEY_OCTETS:
        raise BadResponse
    without_proof = message[: -len(f",{proof}")]  # a proof is ASCII
    return ClientFinal(without_proof, _decoded(_value(binding, "c")), _value(nonce, "r"), octets)


def read_server_first(message: bytes) -> ServerFirst:
    """Read it. Raises BadResponse."""
    nonce, salt, count, *extensions = _attributes(message, least=3)
    _check_extensions(extensions)
    iterations = _value(count, "i")
    if not _COUNT.match(iterations):
        raise BadResponse
    octets = _decoded(_value(salt, "s"))
    return ServerFirst(_value(nonce, "r"), Salting(octets, int(iterations)))


def read_server_final(message: bytes) -> bytes:
    """Return the signature. Raises BadResponse, for an error that is reported in its place too."""
    signature, *extensions = _attributes(message, least=1)
    _check_extensions(extensions)
    return _decoded(_value(signature, "v"))


def server_final(signature: bytes) -> bytes:
    """Return the server's last message."""
    return f"v={encoded(signature)}".encode("ascii")


def spell_name(name: str) -> str:
    """Return a prepared name in the form of a message."""
    return name.replace("=", "=3D").replace(",", "=2C")


def encoded(octets: bytes) -> str:
    """Return octets in the form of a message."""
    return base64.b64encode(octets).decode("ascii")


def _text(message: bytes) -> str:
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        raise BadResponse from None
    if text.count(",") < _GS2_PARTS:
        raise BadResponse
    return text


def _attributes(message: bytes, *, least: int) -> list[str]:
    try:
        attributes = message.decode("utf-8").split(",")
    except UnicodeDecodeError:
        raise BadResponse from None
    if len(attributes) < least:
        raise BadResponse
    return attributes


def _split_header(message: bytes) -> tuple[bytes, bytes]:
    flag, authorization, bare = message.split(b",", _GS2_PARTS)
    return b"%s,%s," % (flag, authorization), bare


def _value(attribute: str, name: str) -> str:
    if not attribute.startswith(f"{name}="):
        raise BadResponse
    return attribute[2:]


def _name(text: str) -> str:
    if not _NAME.match(text):
        raise BadResponse
    try:
        name = saslprep(text.replace("=2C", ",").replace("=3D", "="))
    except ValueError:
        raise BadResponse from None
    if not name:
        raise BadResponse
    return name


def _check_extensions(attributes: list[str]) -> None:
    """Raise BadResponse for a text that is no extension."""
    if not all(map(_EXTENSION.match, attributes)):
        raise BadResponse


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadResponse from None
