"""How much of an account's mail its history keeps, and how addresses and replies are shortened."""

from enum import StrEnum


class HistoryDetail(StrEnum):
    """How much of an account's mail its history keeps."""

    FULL = "full"
    DOMAIN = "domain"  # of addresses their domain, of replies their codes
    NONE = "none"  # no entries at all


_CODES = 20  # characters that hold the codes of any reply


def shortened(address: str) -> str:
    """Return an address without its local part: `@example.com`; "" for the null reverse-path."""
    return address[address.rindex("@") :] if "@" in address else address


def reply_code(reply: str) -> str:
    """Return the code of a reply, and its enhanced code if it has one, without the text."""
    words = reply[:_CODES].split()
    if not words or not words[0].isdigit():
        return ""  # our own words, which may name an address
    has_enhanced = len(words) > 1 and words[1].replace(".", "").isdigit() and "." in words[1]
    return " ".join(words[: 2 if has_enhanced else 1])
