"""Mail that comes for the first time, while the primary is up: it is asked to come again.

Programs that only send spam do not come again. An honest server does, and mostly reaches the
primary then. So this is for domains whose policy defers mail with a bad sign, and only while the
destination is seen up. Otherwise all mail is taken: it is the mail that a backup MX exists for.

Mail is known by the client's network (/24 or /64), the reverse-path and the recipient. The null
reverse-path is never deferred: it also is of servers that ask whether an address exists.

Limitation: each process has a memory of its own, which a restart empties. A client that comes to
another process is new there. So with n processes, mail passes at the latest when it comes the
n+1st time.
"""

from collections.abc import Callable
from typing import Final

from restante.checks.check import ExaminedRecipient, SimpleCheck
from restante.checks.greylist_memory import GreylistMemory
from restante.checks.hygiene import is_examined
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.verdict import PASSED, CheckVerdict, refuse
from restante.network.addresses import FIRST_IPV6_BLOCK, address_block
from restante.tenancy.model import Destination, IpAddress
from restante.tenancy.policy import HygienePolicy

_GREYLISTED: Final = refuse(450, "4.7.1", "Greylisted, try again in 5 minutes", "greylisted")


class GreylistCheck(SimpleCheck):
    """Judges by memory alone."""

    name = "greylist"

    def __init__(
        self,
        settings: Callable[[], HygieneSettings],
        is_up: Callable[[Destination], bool],
        monotonic: Callable[[], float],
    ) -> None:
        """`is_up` tells whether a destination is seen to answer; `monotonic` is in seconds."""
        self._settings = settings
        self._is_up = is_up
        self._monotonic = monotonic
        self._memory = GreylistMemory()

    @property
    def is_on(self) -> bool:  # type: ignore[override]
        """Whether the settings have it."""
        return bool(self._settings().greylist)

    def recipient(self, facts: ExaminedRecipient) -> CheckVerdict:
        """Defer mail that is new."""
        if not self._settings().greylist or not self._is_concerned(facts):
            return PASSED
        block = network_of(facts.client.address)
        key = hash((str(facts.reverse_path).casefold(), str(facts.path).casefold()))
        account = facts.domain.account
        passes = self._memory.may_pass(account, block, key, self._monotonic())
        return PASSED if passes else _GREYLISTED

    def _is_concerned(self, facts: ExaminedRecipient) -> bool:
        return (
            facts.domain.policy.hygiene is HygienePolicy.DEFER
            and facts.reverse_path is not None
            and is_examined(facts)
            and self._is_up(facts.domain.destination)
        )


def network_of(address: IpAddress) -> int:
    """Return the key of a client's network: the /24 of an IPv4 address, or the /64 of another."""
    block = address_block(address)
    return block if block >= FIRST_IPV6_BLOCK else block >> 8
