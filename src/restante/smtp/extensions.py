"""The extensions that EHLO offers, by the state of the session (RFC 5321 §2.2)."""

from collections.abc import Sequence

_OF_MAIL = ("8BITMIME", "SMTPUTF8", "CHUNKING")


def offered_extensions(
    *,
    message_octets: int | None,
    mechanisms: Sequence[str],
    has_tls: bool,
    can_start_tls: bool,
    is_authenticated: bool,
    turns_around: bool = False,
) -> tuple[str, ...]:
    """List the EHLO keywords. `message_octets` is None where no mail is taken.

    AUTH, ETRN and ATRN are there only under TLS: no password on a bare line. ATRN is there before
    AUTH too, since fetchmail looks for it there only.
    """
    size = () if message_octets is None else (f"SIZE {message_octets}", *_OF_MAIL)
    dsn = () if message_octets is None else ("DSN",)
    tls = ("STARTTLS",) if can_start_tls and not has_tls else ()
    auth = (f"AUTH {' '.join(mechanisms)}",) if has_tls and not is_authenticated else ()
    atrn = ("ATRN",) if has_tls and turns_around else ()
    etrn = ("ETRN",) if has_tls else ()
    always = ("PIPELINING", *size, "ENHANCEDSTATUSCODES", *dsn)
    return (*always, *tls, *auth, *atrn, *etrn, "HELP")
