"""Errors in the words of the portal: pages in place of commands and options. Pure.

Functions of `admin` write for the command line (web/api/remedy_words has the words of the API).
"""

import re
from typing import Final

from restante.admin.admin_error import AdminError

_GENERATION: Final = re.compile(r"(?:such as )?by `restante [^`]*--generate [^`]*`")
_COMMAND: Final = re.compile(r"`restante ([a-z]+)[^`]*`")
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")  # not within a name, such as xn--…
_PAGES: Final = {
    "account": "overview",
    "audit": "page Audit",
    "change": "page of the domain",
    "domain": "overview",
    "drain": "page Releases",
    "login": "page Access",
    "notice": "page Notices",
    "queue": "page Queue",
    "recipient": "page of the domain's recipients",
    "release": "page of the domain",
    "token": "page Access",
    "trace": "page Search",
    "user": "page People",
}
_PHRASES: Final = {
    "take it from the Link header of the page before, or leave it out for the first page": (
        "begin with the first page again"
    ),
    "ask an operator of this server": "ask an administrator of your account, or your operator",
}


def error_for_people(error: AdminError) -> str:
    """Return an error with its remedy, for the page of the form that it is about."""
    return in_words_for_people(f"{error.error}; {error.remedy}")


def in_words_for_people(text: str) -> str:
    """Return an error or its remedy without commands, options and headers."""
    for phrase, words in _PHRASES.items():
        text = text.replace(phrase, words)
    text = _GENERATION.sub("with OpenSSL", text)  # no page makes keys
    text = _COMMAND.sub(lambda found: f"the {_PAGES.get(found.group(1), 'command line')}", text)
    return _OPTION.sub(lambda found: found.group(1).replace("-", " "), text)
