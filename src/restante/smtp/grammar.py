r"""The grammar of SMTP arguments, with ABNF (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3).

Lines reach this file as text: ASCII, or UTF-8 where SMTPUTF8 is in play. Patterns are anchored and
cannot backtrack into each other, so hostile lines cost linear time. Some strict rules protect
nobody, and real senders break them daily: an extra dot in a local part, a space after `FROM:`. Such
mail is accepted. A primary would have accepted it too, and a refusal here would turn its outage
into a bounce.
"""

import re
from typing import Final

from restante.mail.address import Mailbox
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import BAD_ARGUMENTS, Reply

_MAX_PATH = 512  # octets; RFC 5321 §4.5.3.1.3 asks for 256, VERP and SRS addresses are longer

# Groups are atomic and not possessive: in Python before 3.11.4 a possessive group that matches in
# part consumes that part. Debian 12 has 3.11.2.
# Local-part = Dot-string / Quoted-string;  atext of RFC 5322 §3.2.3, and UTF8-non-ascii of RFC 6531
# §3.3. As in Postfix, a colon and a quoted pair outside of quotes are accepted too.
_LOCAL_PART = (
    r"""(?:(?>(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.:\u00a1-\U0010ffff]|\\[A-Za-z0-9])+)"""
    r"""|"(?>(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*)")"""
)
# Domain = sub-domain *("." sub-domain);  address-literal = "[" ... "]"
_DOMAIN = r"(?:[A-Za-z0-9_\-.\u00a1-\U0010ffff]++|\[[A-Za-z0-9:.\-]++\])"
# Path = "<" [ A-d-l ":" ] Mailbox ">"; a source route is accepted and ignored (§4.1.1.3, appendix
# C). Blanks within the brackets, brackets written twice, and separators behind them mean nothing.
_PATH: Final = re.compile(
    r"<{1,2}+[ \t]*+"
    r"(?>@[A-Za-z0-9_\-.,@\[\]:]*:)?"
    rf"(?P<local>{_LOCAL_PART})?(?:@(?P<domain>{_DOMAIN}))?"
    r"[ \t]*+>{1,2}+[,;]*+(?P<rest>.*)\Z"
)
# A path without brackets ends at the first blank. Without a domain it must be a plain word, such as
# `root`: else a parameter whose path was forgotten would be taken for one
_BARE_PATH: Final = re.compile(
    r"(?>@[A-Za-z0-9_\-.,@\[\]:]*:)?"
    rf"(?P<local>{_LOCAL_PART})(?:@(?P<domain>{_DOMAIN}))?>?+(?P<rest>(?:[ \t].*)?)\Z"
)
_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9._\-]++\Z")
_PHRASE: Final = re.compile(r"""(?:"[^"\\@]*"|[A-Za-z0-9 .'_\-\u00a1-\U0010ffff]+)[ \t]\Z""")
# esmtp-param = esmtp-keyword ["=" esmtp-value];  UTF8-non-ascii in values: RFC 6531 §3.3, for ORCPT
#
# As in Postfix, a value may have further `=`: Base64 in ENVID, a BATV address in ORCPT.
_PARAMETER: Final = re.compile(
    r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9\-]*)(?:=(?P<value>[!-~\u00a1-\U0010ffff]+))?\Z"
)
MAX_HELLO_NAME: Final = 255  # characters; a longer name is cut

_EMPTY_AUTH: Final = "AUTH="  # Postfix takes it too; the value means nothing to us
_REPEATABLE: Final = frozenset({"SIZE", "BODY", "SMTPUTF8", "AUTH"})

Parameters = dict[str, str | None]


def parse_hello_name(argument: str) -> str:
    """Read what follows EHLO or HELO: anything there is (RFC 5321 §4.1.4).

    Raises ValueError for nothing.
    """
    name = argument.strip(" \t")
    if not name:
        raise ValueError(name)
    return name[:MAX_HELLO_NAME]


def parse_path(argument: str, label: str, complaint: Reply) -> tuple[Mailbox | None, Parameters]:
    """Read `FROM:<path> parameters` (label "FROM:") into a mailbox (None for `<>`) and parameters.

    Raises CommandRefused: with `complaint` for the path, 501 for the parameters.
    """
    argument = argument.lstrip(" \t")
    if argument[: len(label)].upper() != label:
        raise CommandRefused(complaint)
    text = argument[len(label) :].lstrip(" \t")
    match = _PATH.match(text) or _loose_path(text)
    is_plain = match is not None and not match["rest"].startswith("(")
    if not is_plain and (tidied := _tidied(text)) is not None:
        match = _PATH.match(tidied) or _loose_path(tidied)
    if match is None:
        raise CommandRefused(complaint)
    return _mailbox(match["local"], match["domain"], complaint), parse_parameters(match["rest"])


def _loose_path(text: str) -> re.Match[str] | None:
    """Match a path without brackets, or one behind a name, such as `Joe <joe@a.example>`."""
    phrase, bracket, _ = text.partition("<")
    if bracket and _PHRASE.match(phrase):
        return _PATH.match(text, len(phrase))
    match = _BARE_PATH.match(text)
    if match is None or (match["domain"] is None and not _PLAIN_WORD.match(match["local"])):
        return None
    return match


def _tidied(text: str) -> str | None:
    """Return a path without comments, separators behind it, and blanks around `@` and dots.

    Some programs write `<u@a.example (Joe)>` (RFC 5322 §3.2.2) or `<u@a.example>,`, and Postfix
    reads both. Comments count within the brackets and directly behind the path. None means an open
    comment or quote, or a path without `@` and brackets. One pass, so that long lines cost little.
    """
    kept: list[str] = []
    depth = 0  # of comments
    is_quoted = is_escaped = is_closed = False
    place = 0
    for place, letter in enumerate(f"{text} "):  # noqa: B007  used behind the loop
        is_plain = not (depth or is_quoted or is_escaped)
        if is_plain and is_closed and letter != "(":
            break
        if is_plain and letter in " \t" and not text.startswith("<"):
            break
        if not depth and not (is_plain and letter == "("):
            kept.append(letter)
        is_closed = is_closed or (is_plain and letter == ">")
        if is_escaped or letter == "\\":
            is_escaped = not is_escaped
        elif is_quoted or (letter == '"' and not depth):
            is_quoted = is_quoted != (letter == '"')
        else:
            depth += (letter == "(") - (depth > 0 and letter == ")")
    path = _joined("".join(kept).rstrip(",; \t"))
    if depth or is_quoted or not (is_closed or "@" in path):
        return None
    return path + text[place:].lstrip(",;")


def _joined(path: str) -> str:
    """Return a path without blanks around `@` and dots, unless they are quoted."""
    if '"' in path or "\\" in path:
        return path
    return re.sub(r"(?<=[@.<])[ \t]++|[ \t](?=[@.>])", "", " ".join(path.split()))


def _mailbox(local_part: str | None, domain: str | None, complaint: Reply) -> Mailbox | None:
    if local_part is None and domain is None:
        return None
    if local_part is None or len(local_part) + len(domain or "") > _MAX_PATH:
        raise CommandRefused(complaint)
    return Mailbox(local_part, domain or "")


def parse_parameters(text: str) -> Parameters:
    """Read ` KEYWORD KEYWORD=value …` into a dict by upper-case keyword.

    Raises CommandRefused (501).

    Of a SIZE or BODY that is said twice the last counts, as with Postfix and Exim.
    """
    if not text:
        return {}
    parameters: Parameters = {}
    for word in text.replace("\t", " ").split(" "):
        if not word or word.upper() == _EMPTY_AUTH:
            continue
        match = _PARAMETER.match(word)
        if match is None or not text.startswith((" ", "\t")):
            raise CommandRefused(BAD_ARGUMENTS)
        keyword = match["keyword"].upper()
        if keyword in parameters and keyword not in _REPEATABLE:
            raise CommandRefused(BAD_ARGUMENTS)
        parameters[keyword] = match["value"]
    return parameters
