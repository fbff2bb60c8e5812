"""The lines of a dialogue as an operator may see them: without passwords and proofs.

The session says whether a line belongs to an AUTH exchange. Other lines are shown only if they
begin as a command does. The rest may be a secret at the wrong place, such as a passphrase after a
refused AUTH. Limitation: a password in place of a host name or a mailbox cannot be told from these.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol

MOST_SHOWN: Final = 300  # characters of a line
_MECHANISMS: Final = frozenset(
    {
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "DIGEST-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "EXTERNAL",
        "ANONYMOUS",
        "GSSAPI",
        "NTLM",
        "XOAUTH2",
        "OAUTHBEARER",
    }
)
# Each with the words that may follow it. Text after a refused DATA can begin with such a word too.
_WORD: Final = re.compile(r"\S*\Z")
_NOTHING: Final = re.compile(r"\Z")
_VERBS: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(("EHLO", "HELO", "LHLO", "ETRN", "ATRN", "TURN"), _WORD),
    **dict.fromkeys(("NOOP", "VRFY", "EXPN", "HELP"), _NOTHING),
    **dict.fromkeys(("DATA", "RSET", "QUIT", "STARTTLS"), _NOTHING),
    "MAIL": re.compile(r"FROM\s*[:<]", re.IGNORECASE),
    "RCPT": re.compile(r"TO\s*[:<]", re.IGNORECASE),
    "BDAT": re.compile("[0-9]"),
}
# Of other protocols and extensions: only the verb is shown, because a secret may follow.
_FOREIGN: Final = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "HOST:", "USER-AGENT:"),
        *("PROXY-AUTHORIZATION:", "COOKIE:"),
        *("USER", "PASS", "APOP", "LOGIN", "AUTHENTICATE", "CAPABILITY"),
        *("XCLIENT", "XFORWARD", "PROXY", "BURL"),
    }
)
_TLS: Final = b"\x16\x03"  # the beginning of a handshake
_CHALLENGE: Final = b"334"
_VISIBLE: Final = range(ord("!"), ord("~") + 1)
_START: Final = 64  # octets in which the verb is looked for


class DialogueObserver(Protocol):
    """Sees a dialogue as it goes on. It must not raise, nor keep what it gets."""

    def heard_line(self, line: bytes, *, is_authenticating: bool) -> None:
        """Note a line of the client, without its end; a refused one may be cut."""

    def heard_content(self, octets: int) -> None:
        """Note octets of content."""

    def said(self, replies: bytes) -> None:
        """Note lines of ours, with their ends."""


def masked_command(line: bytes, *, is_authenticating: bool = False) -> str:
    """Return a line of the client without what may be secret."""
    if is_authenticating:
        return "*" if line == b"*" else _masked("secret", len(line))
    text = _readable(line)
    shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}… {_masked('', len(line))}"
    words = [_readable(word) for word in line.split()]
    verb = words[0].upper() if words else ""
    if verb in _VERBS and _VERBS[verb].match(" ".join(words[1:])):
        return shown
    if bytes(octet for octet in line[:_START] if octet in _VISIBLE).upper().startswith(b"AUTH"):
        return _masked_auth(words)
    if verb in _VERBS or verb in _FOREIGN:
        octets = len(line) - len(words[0])
        return f"{words[0]} {_masked('hidden', octets)}" if octets else words[0]
    if line.startswith(_TLS):
        return _masked("TLS where none is expected", len(line))
    return _masked("unknown command", len(line)) if line else ""


def masked_reply(line: bytes) -> str:
    """Return a line of ours without a challenge, which has a salt or a nonce."""
    if line.startswith(_CHALLENGE) and len(line.rstrip()) > len(_CHALLENGE):
        return f"334 {_masked('challenge', len(line) - len(_CHALLENGE) - 1)}"
    return _readable(line).rstrip()


def _masked_auth(words: list[str]) -> str:
    verb, *rest = words
    mechanism = rest[0].upper() if rest else ""
    if verb.upper() != "AUTH" or mechanism not in _MECHANISMS:
        octets = len(" ".join(words)) - len("AUTH")
        return f"AUTH {_masked('secret', octets)}" if octets else "AUTH"
    initial = " ".join(rest[1:])
    if initial in ("", "="):
        return f"AUTH {mechanism} {initial}".rstrip()
    return f"AUTH {mechanism} {_masked('secret', len(initial))}"


def _masked(what: str, octets: int) -> str:
    size = f"{octets} octets" if octets != 1 else "1 octet"
    return f"({what}, {size})" if what else f"({size})"


def _readable(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
