"""The port of a store that says how much is held.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class DomainUsage:
    """A domain's held mail, refused mail included: exact at every commit and after a crash."""

    messages: int = 0
    octets: int = 0
    refused: int = 0  # messages that hold nobody: refused, uncertain or damaged

    @property
    def held(self) -> int:
        """Messages that a release would hand over."""
        return self.messages - self.refused

    def __add__(self, other: "DomainUsage") -> "DomainUsage":
        return DomainUsage(
            self.messages + other.messages, self.octets + other.octets, self.refused + other.refused
        )

    def __sub__(self, other: "DomainUsage") -> "DomainUsage":
        return DomainUsage(
            self.messages - other.messages, self.octets - other.octets, self.refused - other.refused
        )


NO_USAGE = DomainUsage()


class SetApart(NamedTuple):
    """The messages among a domain's that are not simply held or refused, exact at a commit."""

    uncertain: int = 0  # with an uncertain recipient
    damaged: int = 0
    unheld: int = 0  # of both, those with no held recipient: `DomainUsage.refused` counts them too
    deferred_by_policy: int = 0  # held, and deferred by a policy of the destination in some drain


NONE_SET_APART = SetApart()


def with_deferred(
    apart: Mapping[int, SetApart], deferred_by_policy: Iterable[Sequence[int]]
) -> Mapping[int, SetApart]:
    """Return the figures by domain id, with numbers of messages deferred by a policy."""
    found = dict(apart)
    for domain_id, count in deferred_by_policy:
        found[domain_id] = found.get(domain_id, NONE_SET_APART)._replace(deferred_by_policy=count)
    return found


class FigureStore(Protocol):
    """How much mail is held, and since when.

    The figures without I/O contain the changes of this process at their commit, and those of other
    processes on the same store within two seconds.
    """

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds, as of the last commit. No I/O."""

    def usages(self) -> Mapping[int, DomainUsage]:
        """Return what each domain holds, by domain id; domains with nothing may be absent.

        No I/O.
        """

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what all domains of an account hold together, as of the last commit.

        No I/O; no walk over domains.
        """

    def usage_of_all(self) -> DomainUsage:
        """Return what all domains hold together, as of the last commit.

        No I/O; no walk over domains.
        """

    async def catch_up(self, domain_ids: Sequence[int]) -> None:
        """Let `usage` of these domains contain what other processes have committed by now."""

    async def oldest(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        """Return by domain id when each domain's oldest held message was received, if it has one.

        Mail that waits for nothing, such as refused mail, does not count.
        Given some ids, only those domains are looked at: a page costs as much as it has rows.
        """

    async def set_apart(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, SetApart]:
        """Return how many messages are uncertain, damaged or deferred by a policy.

        Given some ids, only those domains are looked at.
        """
