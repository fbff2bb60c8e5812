"""How much of an account's mail its history keeps, and how addresses and replies are shortened."""

from enum import StrEnum

from restante.mail.reply_status import read_reply_status


class HistoryDetail(StrEnum):
    """How much of an account's mail its history keeps."""

    FULL = "full"
    DOMAIN = "domain"  # of addresses their domain, of replies their codes
    NONE = "none"  # no entries at all


def shortened(address: str) -> str:
    """Return an address without its local part: `@example.com`; "" for the null reverse-path."""
    return address[address.rindex("@") :] if "@" in address else address


def reply_code(reply: str) -> str:
    """Return the code of a reply, and its enhanced code if it has one, without the text."""
    status = read_reply_status(reply)
    return "" if status is None else status.text  # our own words may name an address
