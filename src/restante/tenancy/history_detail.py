"""How much of an account's mail its history keeps, and how addresses and replies are shortened."""

import re
from enum import StrEnum
from typing import Final

from restante.mail.reply_status import read_reply_status

# A reply within a text: its codes stay, and all that follows goes.
_REPLY: Final = re.compile(
    r"\b([245]\d\d)(?:[ -]+([245]\.\d{1,3}\.\d{1,3})(?!\S))?[ -].*", re.DOTALL
)
_LOCAL_PART: Final = re.compile(r"""(?:"[^"]*"|[^\s<>()\[\]:;,"']+)@(?=[\w\[])""")
_ADDRESS: Final = re.compile(_LOCAL_PART.pattern + r"""[^\s<>();,"']+""")
_UNNAMED: Final = "(address)"


class HistoryDetail(StrEnum):
    """How much of an account's mail its history keeps."""

    FULL = "full"
    DOMAIN = "domain"  # of addresses their domain, of replies their codes; no verdicts of checks
    NONE = "none"  # no entries at all


def shortened(address: str) -> str:
    """Return an address without its local part: `@example.com`; "" for the null reverse-path."""
    return address[address.rindex("@") :] if "@" in address else address


def reply_code(reply: str) -> str:
    """Return the code of a reply, and its enhanced code if it has one, without the text."""
    status = read_reply_status(reply)
    return "" if status is None else status.text  # our own words may name an address


def text_in_detail(text: str, detail: HistoryDetail) -> str:
    """Return a text as an account keeps it: less than in full, without addresses.

    Of a reply in it the codes stay: replies often name a mailbox, also without its domain.
    """
    if detail is HistoryDetail.FULL:
        return text
    text = _REPLY.sub(lambda found: " ".join(filter(None, found.groups())), text)
    if detail is HistoryDetail.NONE:
        return _ADDRESS.sub(_UNNAMED, text)
    return _LOCAL_PART.sub("@", text)
