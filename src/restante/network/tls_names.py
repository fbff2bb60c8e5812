"""The certificate that a client gets, by the host name that it asks for (SNI, RFC 6066 §3).

Each name has a context of its own, made like that of its listener. OpenSSL takes certificate, key,
suites and trusted certificates from the chosen one. The versions of TLS, and whether the client is
asked for a certificate, stay those of the listener. Without names there is no callback, and so no
cost.

A client that asks for no name, or for one that we do not know, gets the default certificate. Most
mail servers ask for none, and a mail server that does not verify must not fail.

Limitation: where names are served, a client that asks for a name outside ASCII fails in the
handshake, because Python cannot represent it. RFC 6066 allows no such names.
"""

import ssl
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Protocol

from restante.network.served_certificate import wildcard_for


def serve_by_name(default: ssl.SSLContext, named: Mapping[str, ssl.SSLContext]) -> None:
    """Have a listener's context choose one of the others, by the name that the client asks for."""
    if not named:
        return

    def choose(tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        chosen = context_for(name or "", named)
        if chosen is not None:
            tls.context = chosen

    default.sni_callback = choose


def context_for(name: str, named: Mapping[str, ssl.SSLContext]) -> ssl.SSLContext | None:
    """Return the context for a name as a client spells it; None: the default.

    An exact name is preferred to a wildcard.
    """
    host = name.lower().removesuffix(".")
    return named.get(host) or named.get(wildcard_for(host))


_DECODING: Final = "ssl servername callback while decoding name"  # Python 3.14; before, `object`


class _Unraisable(Protocol):
    """An exception that Python could not raise, as `sys.unraisablehook` gets it."""

    exc_type: type[BaseException]
    exc_value: BaseException | None
    exc_traceback: TracebackType | None
    err_msg: str | None
    object: object


def ignore_strange_names() -> None:
    """Write nothing when a client asks for a name outside ASCII.

    Python writes a traceback to standard error for each, so strangers could fill the log.
    """
    others = sys.unraisablehook

    def hook(unraisable: _Unraisable, /) -> None:
        is_name = isinstance(unraisable.object, bytes) or _DECODING in (unraisable.err_msg or "")
        if not (is_name and issubclass(unraisable.exc_type, UnicodeDecodeError)):
            others(unraisable)

    sys.unraisablehook = hook
