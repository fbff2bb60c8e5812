"""The codes of a reply of SMTP, apart from its words. Pure.

A session reads them from the octets once (`smtp/peer_replies`), and an outcome carries them. The
store has replies as text, where `read_reply_status` finds the codes again. Nothing else takes a
reply apart.
"""

import re
from typing import Final, NamedTuple

# status-code = class "." subject "." detail (RFC 3463 §2). IronPort writes "#" before it.
ENHANCED_CODE: Final = r"#?([245]\.[0-9]{1,3}\.[0-9]{1,3})\b(?!\.\w)"
_STORED: Final = re.compile(rf"([2-5][0-9][0-9])(?:[ -](?:{ENHANCED_CODE})?|\Z)")


class ReplyStatus(NamedTuple):
    """The code of a reply, and its enhanced status code."""

    code: int
    enhanced: str = ""  # class.subject.detail (RFC 3463); "" without one

    @property
    def is_temporary(self) -> bool:
        """4yz: time may cure it."""
        return self.code // 100 == 4  # noqa: PLR2004  RFC 5321 §4.2.1

    @property
    def is_permanent(self) -> bool:
        """5yz: the same command will not succeed."""
        return self.code // 100 == 5  # noqa: PLR2004  RFC 5321 §4.2.1

    @property
    def topic(self) -> str:
        """The subject and detail of the enhanced code where its class is that of the code.

        "1.1" of `550 5.1.1`; "" without one.
        """
        digit, _, topic = self.enhanced.partition(".")
        return topic if digit == str(self.code // 100) else ""

    @property
    def text(self) -> str:
        """The codes, with a space between them."""
        return f"{self.code} {self.enhanced}".rstrip()


def read_reply_status(text: str) -> ReplyStatus | None:
    """Return the codes of a reply that was stored as text; None for words of our own."""
    found = _STORED.match(text)
    return None if found is None else ReplyStatus(int(found[1]), found[2] or "")
