"""Text into the one spelling of domains.

The rule: a canonical name or ValueError, nothing else. A canonical name is its own canonical form.
So are its other spellings, in case and with the dot of the root.
"""

import re
from contextlib import suppress
from typing import Final

from restante.mail.address import (
    MAX_DOMAIN_LENGTH,
    Mailbox,
    canonical_domain,
    is_address_literal,
    literal_address,
    split_mailbox,
)
from restante.tenancy.model import parse_authorized_hosts

_CANONICAL: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")


def check(data: bytes) -> None:
    """Run one input: every line of it. Raises what breaks the rule."""
    for line in data.split(b"\n"):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            continue
        _check_domain(text)
        _check_literal(text)
        assert str(split_mailbox(text)) in (text, text.removesuffix("@"))
        with suppress(ValueError):
            parse_authorized_hosts([text])


def _check_domain(text: str) -> None:
    try:
        name = canonical_domain(text)
    except ValueError:
        return
    assert _CANONICAL.match(name)
    assert len(name) <= MAX_DOMAIN_LENGTH
    assert canonical_domain(name) == name
    assert canonical_domain(f"{name.upper()}.") == name
    assert split_mailbox(f"a@{name}") == Mailbox("a", name)


def _check_literal(text: str) -> None:
    address = literal_address(text)
    assert address is None or is_address_literal(text)
