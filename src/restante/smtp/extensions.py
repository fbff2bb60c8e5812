"""The extensions that EHLO offers, by the state of the session (RFC 5321 §2.2)."""

from collections.abc import Sequence


def offered_extensions(
    *,
    message_octets: int,
    mechanisms: Sequence[str],
    has_tls: bool,
    can_start_tls: bool,
    is_authenticated: bool,
) -> tuple[str, ...]:
    """List the EHLO keywords.

    AUTH and ETRN are there only under TLS: no password on a bare line.
    """
    always = (
        "PIPELINING",
        f"SIZE {message_octets}",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        "DSN",
    )
    tls = ("STARTTLS",) if can_start_tls and not has_tls else ()
    auth = (f"AUTH {' '.join(mechanisms)}",) if has_tls and not is_authenticated else ()
    etrn = ("ETRN",) if has_tls else ()
    return (*always, *tls, *auth, *etrn, "HELP")
