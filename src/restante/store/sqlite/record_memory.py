"""Records that were made of rows before: a row that is as it was makes no new record.

All records are read again after each change of one. With ten thousand domains most of the time was
spent on making the same values again. The collector then walked over all of them again and again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from restante.store.sqlite.engine import Row
from restante.tenancy.model import Account, HostedDomain, Login
from restante.tenancy.notice import Channel

_Record = TypeVar("_Record")


class Remembered(Generic[_Record]):
    """The records of one table as they were last read, by their rows.

    May be used by several threads.
    """

    def __init__(self) -> None:
        self._made: dict[Row, _Record] = {}

    def records(self, rows: Iterable[Row], make: Callable[[Row], _Record]) -> list[_Record]:
        """Return a record for each row, and remember these and no others.

        Rows are immutable, and so are records.
        """
        before = self._made
        self._made = now = {row: before.get(row) or make(row) for row in rows}
        return list(now.values())


@dataclass(frozen=True, slots=True)
class RecordMemory:
    """The records that the latest `directory` was made from."""

    accounts: Remembered[Account] = field(default_factory=Remembered)
    logins: Remembered[Login] = field(default_factory=Remembered)
    domains: Remembered[HostedDomain] = field(default_factory=Remembered)
    channels: Remembered[Channel] = field(default_factory=Remembered)
