r"""The grammar of SMTP arguments, each pattern under its ABNF (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3).

Lines reach this file as text: ASCII, or UTF-8 where SMTPUTF8 is in play. Patterns are anchored and cannot backtrack
into each other, so hostile lines cost linear time. Where the standard is strict and nobody is protected by it (a dot
too many in a local part, a space after `FROM:`), real senders break it daily and their mail is taken.
"""

import re
from typing import Final

from restante.mail.address import Mailbox, canonical_domain
from restante.smtp.errors import Refused
from restante.smtp.replies import BAD_ARGUMENTS, Reply

_MAX_PATH = 512  # octets; RFC 5321 §4.5.3.1.3 asks for 256, VERP and SRS addresses are longer

# Local-part = Dot-string / Quoted-string;  atext of RFC 5322 §3.2.3, and UTF8-non-ascii of RFC 6531 §3.3
_LOCAL_PART = r"""(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u00a1-\U0010ffff]+|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*")"""
# Domain = sub-domain *("." sub-domain);  address-literal = "[" ... "]"
_DOMAIN = r"(?:[A-Za-z0-9_\-.\u00a1-\U0010ffff]+|\[[A-Za-z0-9:.\-]+\])"
# Path = "<" [ A-d-l ":" ] Mailbox ">"; a source route is accepted and ignored (§4.1.1.3, appendix C)
_PATH: Final = re.compile(
    rf"<(?:@[A-Za-z0-9_\-.,@\[\]:]*:)?(?P<local>{_LOCAL_PART})?(?:@(?P<domain>{_DOMAIN}))?>(?P<rest>.*)\Z"
)
# esmtp-param = esmtp-keyword ["=" esmtp-value];  UTF8-non-ascii in values: RFC 6531 §3.3, for ORCPT
_PARAMETER: Final = re.compile(r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9\-]*)(?:=(?P<value>[!-<>-~\u00a1-\U0010ffff]+))?\Z")
# ehlo = Domain / address-literal; RFC 5321 §4.1.4 forbids refusing mail because the name does not check out
_HELLO_NAME: Final = re.compile(r"(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]{1,255}|\[[A-Za-z0-9:.\-]{1,64}\])\Z")

Parameters = dict[str, str | None]


def parse_hello_name(argument: str) -> str:
    """Read what follows EHLO or HELO. Raises ValueError."""
    name = argument.strip(" ")
    if not _HELLO_NAME.match(name):
        raise ValueError(name)
    return name


def parse_path(argument: str, label: str, complaint: Reply) -> tuple[Mailbox | None, Parameters]:
    """Read `FROM:<path> parameters` (label "FROM:") into a mailbox, None for `<>`, and the parameters.

    Raises Refused: with `complaint` for the path, 501 for the parameters.
    """
    if argument[: len(label)].upper() != label:
        raise Refused(complaint)
    match = _PATH.match(argument[len(label) :].lstrip(" "))
    if match is None:
        raise Refused(complaint)
    return _mailbox(match["local"], match["domain"], complaint), parse_parameters(match["rest"])


def _mailbox(local_part: str | None, domain: str | None, complaint: Reply) -> Mailbox | None:
    if local_part is None and domain is None:
        return None
    if local_part is None or len(local_part) + len(domain or "") > _MAX_PATH:
        raise Refused(complaint)
    return Mailbox(local_part, domain or "")


def parse_parameters(text: str) -> Parameters:
    """Read ` KEYWORD KEYWORD=value …` into a dict by upper-case keyword. Raises Refused (501)."""
    if not text:
        return {}
    parameters: Parameters = {}
    for word in text.split():
        match = _PARAMETER.match(word)
        if match is None or not text.startswith(" ") or match["keyword"].upper() in parameters:
            raise Refused(BAD_ARGUMENTS)
        parameters[match["keyword"].upper()] = match["value"]
    return parameters


def is_domain(text: str) -> bool:
    """Tell whether a text is a domain name, IDN included."""
    try:
        canonical_domain(text)
    except ValueError:
        return False
    return True
