"""The lines of a dialogue as an operator may see them: without passwords and proofs.

The session says whether a line belongs to an AUTH exchange. Other lines are masked if they look
like a secret that was sent at the wrong place. Limitation: a password in a command that takes any
text, such as EHLO or a mailbox, cannot be told from that text.
"""

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
_VERBS: Final = frozenset(
    {
        "EHLO",
        "HELO",
        "LHLO",
        "MAIL",
        "RCPT",
        "DATA",
        "BDAT",
        "RSET",
        "NOOP",
        "QUIT",
        "VRFY",
        "EXPN",
        "HELP",
        "STARTTLS",
        "ETRN",
        "ATRN",
        "TURN",
    }
)
# Of other protocols, and of HTTP: a secret follows.
_WITH_A_SECRET: Final = frozenset(
    {
        "PASS",
        "LOGIN",
        "APOP",
        "AUTHENTICATE",
        "AUTHORIZATION:",
        "PROXY-AUTHORIZATION:",
        "COOKIE:",
        "XCLIENT",
    }
)
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
    if verb in _VERBS:
        return shown
    if bytes(octet for octet in line[:_START] if octet in _VISIBLE).upper().startswith(b"AUTH"):
        return _masked_auth(words)
    if not _WITH_A_SECRET.isdisjoint(word.upper() for word in words[:2]):
        return f"{words[0]} {_masked('secret', len(line) - len(words[0]))}"
    if len(words) == 1:  # such as a user name after a refused AUTH
        return _masked("unknown command", len(line))
    return shown


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
