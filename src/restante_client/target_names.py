"""The argument of ETRN and ATRN in its form on the wire: a domain, `@domain` or `#account`."""

from __future__ import annotations

import re

from restante_client.client_failure import ClientExit, ClientFailure

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_MAX_NAME = 253
# The older IDNA of the standard library spells these otherwise than IDNA 2008 does.
_DIFFERENT_IN_2008 = frozenset("\u00df\u03c2\u200c\u200d\u1e9e")


def wire_target(text: str) -> str:
    """Return the form on the wire. Raises ClientFailure."""
    mark = text[:1] if text[:1] in ("@", "#") else ""
    name = text[len(mark) :]
    if mark == "#":
        if name and name.isascii() and name.isprintable() and not set(name) & set(" ,"):
            return text
        raise _malformed(text, "is not an account")
    return mark + _domain(text, name)


def _domain(text: str, name: str) -> str:
    if set(name) & _DIFFERENT_IN_2008:
        raise ClientFailure(
            ClientExit.USAGE,
            f"{text}: has a letter that needs IDNA 2008; write the domain in its form xn--…",
        )
    try:
        wire = (name[:-1] if name.endswith(".") else name).encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _malformed(text, "is not a domain name") from None
    labels = wire.split(".")
    if len(wire) > _MAX_NAME or not all(map(_LABEL.match, labels)) or labels[-1].isdigit():
        raise _malformed(text, "is not a domain name")
    return wire


def _malformed(text: str, cause: str) -> ClientFailure:
    shown_text = text if text.isprintable() and text else repr(text)
    return ClientFailure(
        ClientExit.USAGE, f"{shown_text}: {cause}; give DOMAIN, @DOMAIN or #ACCOUNT"
    )
