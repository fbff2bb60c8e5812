"""Where a message came from, as it is kept beside the message."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from restante.stable_word import StableWord

HELLO_LIMIT: Final = 255  # characters
VERDICT_LIMIT: Final = 1000  # characters; of one check
VERDICTS_LIMIT: Final = 32  # checks


NO_VERDICTS: Final[Mapping[str, str]] = MappingProxyType({})


class PtrStatus(StableWord):
    """The result of looking up the name of a client's address."""

    NOT_LOOKED_UP = "not-looked-up"
    CONFIRMED = "confirmed"  # the name leads back to the address
    UNCONFIRMED = "unconfirmed"  # there is a name, but it leads elsewhere or nowhere
    NONE = "none"  # the address has no name
    FAILED = "failed", "look-up failed"  # temporarily; a name may be known, but not where it leads


class MessageOrigin(NamedTuple):
    """The session that a message came through, and the verdicts of checks."""

    address: str  # of the client
    port: int  # of the client; 0 where it is not known
    hello: str  # as EHLO or HELO gave it, printable and bounded
    tls: str = ""  # "TLSv1.3 TLS_AES_256_GCM_SHA384", "" without TLS
    host_name: str = ""  # the PTR name of the address; `ptr` says how far to trust it
    verdicts: Mapping[str, str] = NO_VERDICTS  # by the name of the check
    ptr: PtrStatus = PtrStatus.NOT_LOOKED_UP
    is_imported: bool = False  # an import claims it: no session of this server saw the client

    @property
    def confirmed_name(self) -> str:
        """The name that leads back to the address, "" if there is none or it is not known."""
        return self.host_name if self.ptr is PtrStatus.CONFIRMED else ""


def shown_hello(name: str) -> str:
    """Return the argument of EHLO as it may be stored and shown: a stranger chose it."""
    if name.isascii() and name.isprintable():
        return name[:HELLO_LIMIT]
    return "".join(
        letter if letter.isascii() and letter.isprintable() else "?"
        for letter in name[:HELLO_LIMIT]
    )
