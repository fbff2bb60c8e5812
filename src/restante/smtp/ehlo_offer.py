"""The offer of a server in its reply to EHLO (RFC 5321 §4.1.1.1, §2.2)."""

from dataclasses import dataclass
from typing import Final

from restante.smtp.peer_replies import ServerReply


@dataclass(frozen=True, slots=True)
class EhloOffer:
    """The extensions that matter to us. Without EHLO, or before it, none is offered."""

    server_name: str = ""  # as the server calls itself
    has_starttls: bool = False  # RFC 3207
    has_pipelining: bool = False  # RFC 2920
    has_chunking: bool = False  # RFC 3030
    has_8bitmime: bool = False  # RFC 6152
    has_smtputf8: bool = False  # RFC 6531
    has_dsn: bool = False  # RFC 3461
    has_size: bool = False  # RFC 1870
    size_limit: int = 0  # octets; 0 where the server names none
    mechanisms: frozenset[str] = frozenset()  # RFC 4954
    mail_limit: int = 0  # transactions of a session (RFC 9422); 0 where the server names none
    xclient: frozenset[str] = frozenset()  # the names that XCLIENT may have; none: not for us


NO_OFFER = EhloOffer()


def read_offer(reply: ServerReply) -> EhloOffer:
    """Read the reply to EHLO. Lines outside the standards' grammar are ignored."""
    texts = [line.decode("ascii", "replace").strip().upper() for line in reply.lines]
    words = [_words(text) for text in texts[1:]]
    keywords = {parts[0]: parts[1:] for parts in words if parts}
    size = keywords.get("SIZE", [])
    return EhloOffer(
        server_name=_server_name(texts[0]),
        has_starttls="STARTTLS" in keywords,
        has_pipelining="PIPELINING" in keywords,
        has_chunking="CHUNKING" in keywords,
        has_8bitmime="8BITMIME" in keywords,
        has_smtputf8="SMTPUTF8" in keywords,
        has_dsn="DSN" in keywords,
        has_size="SIZE" in keywords,
        size_limit=_number(size[0]) if size else 0,
        mechanisms=frozenset(
            name for parts in words if parts and parts[0] == "AUTH" for name in parts[1:]
        ),
        mail_limit=_mail_limit(keywords.get("LIMITS", [])),
        xclient=frozenset(keywords.get("XCLIENT", ())),
    )


def _mail_limit(limits: list[str]) -> int:
    values = dict(limit.partition("=")[::2] for limit in limits)
    return _number(values.get("MAILMAX", ""))


def _words(text: str) -> list[str]:
    """Return keyword and parameters of a line.

    Before RFC 2554 servers wrote "AUTH=", and some still do for old clients. Others put commas
    between mechanisms.
    """
    is_auth = text.startswith("AUTH")
    return (text.replace("AUTH=", "AUTH ", 1).replace(",", " ") if is_auth else text).split()


def _server_name(text: str) -> str:
    return text.split(maxsplit=1)[0].lower().rstrip(".") if text else ""


MOST_DIGITS: Final = 20  # of a number of octets


def _number(text: str) -> int:
    """RFC 1870 §3: at most 20 digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0
