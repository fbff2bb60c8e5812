"""The drains on record: the rules that every store keeps, without I/O.

A drain has a number, which fences: an owner with an earlier one can settle nothing. It grows when a
drain is opened, taken over or closed, and never comes back. Requests to its owner, for a new round
or for its end, are written beside it; the owner reads them there (`asked`). So nobody needs to
reach the owner, and a request survives it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from restante.queue.drain_word import DrainWay
from restante.store.handover_store import Drain, DrainRequests, JoinedDrain
from restante.store.store_errors import Conflict, LeaseLost

TAKES_MAIL_ITSELF: Final = "the domain's client takes the mail over its own connection now"
BEING_STOPPED: Final = "the drain of the domain is being stopped"


@dataclass(frozen=True, slots=True)
class DrainRecord:
    """One open drain, with the requests since it was opened or taken over."""

    drain: Drain
    times: int = 0  # requests that joined it
    stop: str = ""  # why it must end; "" while it need not


class DrainBook:
    """All drains of a store. A store writes down the record that a method returns."""

    def __init__(
        self, numbers: Mapping[int, int] | None = None, records: Iterable[DrainRecord] = ()
    ) -> None:
        """`numbers` are the last ones, by domain id, of drains that are over too."""
        self._numbers = dict(numbers or {})
        self.records = {record.drain.domain_id: record for record in records}

    def open(
        self,
        domain_id: int,
        requested_at: float,
        deadline: float,
        release: int = 0,
        requested_by: str = "",
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> Drain | JoinedDrain:
        """Record a drain, or join the one that is open.

        A stop asked for before no longer counts. A drain without a release gets this one. One of
        named messages becomes one of all mail if that is wanted. Raises Conflict, where named
        messages cannot join.
        """
        present = self.records.get(domain_id)
        if present is None:
            number = self._next_number(domain_id)
            drain = Drain(domain_id, number, requested_at, deadline, release, requested_by, way)
            self.records[domain_id] = DrainRecord(drain)
            return drain
        if way is DrainWay.MESSAGES:
            check_join(present.drain.way, present.stop)
        drain = replace(
            present.drain,
            way=joined_way(present.drain.way, way),
            deadline=max(present.drain.deadline, deadline),
            release=present.drain.release or release,
        )
        self.records[domain_id] = DrainRecord(drain, present.times + 1)
        return JoinedDrain(drain, present.times + 1)

    def take_over(self, drain: Drain) -> Drain | None:
        """Give it to another, under a new number; None if it is not in force any more."""
        if not self.is_in_force(drain):
            return None
        record = self.records[drain.domain_id]
        taken = replace(record.drain, number=self._next_number(drain.domain_id))
        self.records[drain.domain_id] = replace(record, drain=taken, times=0)
        return taken

    def ask_stop(self, domain_id: int, reason: str) -> bool:
        """Ask its owner to end it; return whether there is one."""
        if (record := self.records.get(domain_id)) is None:
            return False
        self.records[domain_id] = replace(record, stop=reason)
        return True

    def close(self, drain: Drain) -> int:
        """End it, and return the number that its domain has now. Only for one that is in force."""
        del self.records[drain.domain_id]
        return self._next_number(drain.domain_id)

    def forget(self, domain_id: int) -> None:
        """Forget a domain."""
        self._numbers.pop(domain_id, None)
        self.records.pop(domain_id, None)

    def present(self, domain_id: int) -> Drain:
        """Return the open drain of a domain that has one."""
        return self.records[domain_id].drain

    def is_in_force(self, drain: Drain) -> bool:
        """Tell whether this is the number of a drain that is open."""
        record = self.records.get(drain.domain_id)
        return record is not None and record.drain.number == drain.number

    def check(self, drain: Drain) -> None:
        """Raise LeaseLost if this drain is not in force."""
        if not self.is_in_force(drain):
            raise LeaseLost(
                f"drain {drain.number} of domain {drain.domain_id} is over or was taken over"
            )

    def _next_number(self, domain_id: int) -> int:
        self._numbers[domain_id] = self._numbers.get(domain_id, 0) + 1
        return self._numbers[domain_id]


def check_join(present: DrainWay, stop: str) -> None:
    """Raise Conflict unless a request for named messages may join a drain.

    A turnaround is followed by a drain of all mail if it is joined, and a stop is called off.
    """
    if present is DrainWay.TURNAROUND:
        raise Conflict(TAKES_MAIL_ITSELF)
    if stop:
        raise Conflict(BEING_STOPPED)


def joined_way(present: DrainWay, wanted: DrainWay) -> DrainWay:
    """Return the way of a drain that was joined."""
    is_widened = present is DrainWay.MESSAGES and wanted is DrainWay.DESTINATION
    return wanted if is_widened else present


def is_finished(record: DrainRecord, held: int, left_behind: int, times: int) -> bool:
    """Tell whether no mail waits for a drain, of which its owner has read `times` requests.

    A drain of named messages leaves all other mail held, and so does not count it.
    """
    if record.drain.way is DrainWay.MESSAGES:
        return record.times <= times
    return held <= left_behind


def open_drains(records: Mapping[int, DrainRecord]) -> list[Drain]:
    """Return the open drains, by domain."""
    return [records[domain_id].drain for domain_id in sorted(records)]


def unclaimed(records: Mapping[int, DrainRecord], running: Collection[Drain]) -> list[Drain]:
    """Return, where there is one node only, the open drains that it does not run."""
    numbers = {drain.domain_id: drain.number for drain in running}
    found = [
        record.drain
        for domain_id, record in records.items()
        if numbers.get(domain_id) != record.drain.number
    ]
    return sorted(found, key=lambda drain: drain.domain_id)


def asked_of(records: Mapping[int, DrainRecord], drains: Iterable[Drain]) -> list[DrainRequests]:
    """Return the requests to the owner of these drains; nothing for those without any."""
    found = []
    for drain in drains:
        record = records.get(drain.domain_id)
        if record is None or record.drain.number != drain.number:
            found.append(DrainRequests(drain.domain_id, 0, drain.deadline, "", is_lost=True))
        elif record.times or record.stop:
            found.append(
                DrainRequests(
                    drain.domain_id,
                    record.times,
                    record.drain.deadline,
                    record.stop,
                    way=record.drain.way,
                )
            )
    return found
