"""The writer's knowledge in memory: the domains, the mail that each holds, and the current drains.

The directory lock makes this process the only writer. So figures that were read once and moved with
every change are exact; after a rollback they are read again. Touched on the writer thread only; the
event loop is told after each commit.

The table `usage` may be behind. A transaction that only holds mail does not write it; its mail is
counted from the messages when the ledger is read (ledger_queries.UNCOUNTED). The next other
transaction, or checkpoint, writes the rows of all domains that are behind, so that little ever
needs counting.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import apsw

from restante.queue.drain_word import DrainWay
from restante.store.drain_book import DrainBook, DrainRecord
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.handover_store import Drain
from restante.store.sqlite import drain_queries, ledger_queries
from restante.store.sqlite.engine import fetch
from restante.store.store_errors import Conflict
from restante.store.stored_form.row_type import Row


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """The changes of a commit to figures that are answered from memory."""

    usages: dict[int, DomainUsage]  # of the domains touched
    accounts: dict[int, str]  # their accounts; "" for a domain that was removed
    last_number: int
    drains: dict[int, DrainRecord | None]  # of the domains whose drain changed; None: it is over
    has_new_records: bool = False  # whether a record of the operator was changed


@dataclass(slots=True)
class _AccountFigures:
    """The running sums over an account's domains."""

    messages: int = 0
    octets: int = 0


@dataclass(slots=True)
class _Figures:
    """One domain's running figures."""

    account: _AccountFigures
    messages: int = 0
    octets: int = 0
    refused: int = 0
    last_number: int = 0

    def add(self, messages: int, octets: int) -> None:
        """Count so many more, also for the account."""
        self.messages += messages
        self.octets += octets
        self.account.messages += messages
        self.account.octets += octets

    @property
    def usage(self) -> DomainUsage:
        return DomainUsage(self.messages, self.octets, self.refused)


@dataclass(slots=True)
class Ledger:
    """The figures of one open transaction; of the last commit, when none is open."""

    _figures: dict[int, _Figures] = field(default_factory=dict)  # one for each hosted domain
    _accounts: dict[int, str] = field(default_factory=dict)  # whose each is
    _of_accounts: defaultdict[str, _AccountFigures] = field(
        default_factory=lambda: defaultdict(_AccountFigures)
    )
    drains: DrainBook = field(default_factory=DrainBook)
    _touched_drains: set[int] = field(default_factory=set)
    _touched: set[int] = field(default_factory=set)
    _behind: set[int] = field(
        default_factory=set
    )  # domains whose row of `usage` lacks their newest mail
    last_number: int = 0
    has_new_records: bool = False  # of this transaction

    @classmethod
    def read(cls, connection: apsw.Connection) -> "Ledger":
        """Read it from the database, as at the last commit."""
        ledger = cls()
        for domain_id, account in fetch(connection, ledger_queries.DOMAIN_IDS):
            ledger.add_domain(domain_id, account)
        for domain_id, messages, octets, parked, last_number in fetch(
            connection, ledger_queries.USAGES
        ):
            figures = ledger._figures.setdefault(domain_id, _Figures(_AccountFigures()))
            figures.add(messages, octets)
            figures.refused, figures.last_number = parked, last_number
        rows = fetch(connection, drain_queries.DRAINS)
        ledger.drains = DrainBook(
            {domain_id: number for domain_id, number, *_ in rows},
            [_drain_record(row) for row in rows if row[2]],
        )
        ledger.last_number = fetch(connection, ledger_queries.COUNTED_UP_TO)[0][0]
        ledger._count(fetch(connection, ledger_queries.UNCOUNTED))
        return ledger

    def _count(self, newest: Iterable[Row]) -> None:
        for domain_id, messages, octets, last_number in newest:
            figures = self._figures.setdefault(domain_id, _Figures(_AccountFigures()))
            figures.add(messages, octets)
            figures.last_number = last_number
            self._behind.add(domain_id)
            self.last_number = max(self.last_number, last_number)

    def balance_of_all(self) -> LedgerBalance:
        """Say how everything stands."""
        return self._balance(self._figures, self.drains.records)

    # --- domains

    def add_domain(self, domain_id: int, account: str) -> None:
        """Begin its figures."""
        self._figures[domain_id] = _Figures(self._of_accounts[account])
        self._accounts[domain_id] = account

    def give_domain(self, domain_id: int, account: str) -> None:
        """Note its new account; the mail that it holds moves along."""
        figures = self._figures[domain_id]
        messages, octets = figures.messages, figures.octets
        figures.add(-messages, -octets)
        figures.account = self._of_accounts[account]
        figures.add(messages, octets)
        self._accounts[domain_id] = account
        self._touched.add(domain_id)

    def remove_domain(self, domain_id: int) -> None:
        """End them, and its drain."""
        del self._figures[domain_id], self._accounts[domain_id]
        self.touch_drain(domain_id)
        self.drains.forget(domain_id)
        self._touched.add(domain_id)

    def hosts(self, domain_id: int) -> bool:
        """Tell whether it is a hosted domain."""
        return domain_id in self._figures

    def check_hosted(self, domain_id: int) -> None:
        """Raise Conflict if it is none."""
        if domain_id not in self._figures:
            raise Conflict(f"domain {domain_id} no longer exists")

    # --- mail

    def check_numbers(self, numbers: Sequence[int]) -> None:
        """Raise Conflict if these do not grow, from the last message on.

        More than the contract asks for: the highest number says which mail the table counts.
        """
        last = self.last_number
        for number in numbers:
            if number <= last:
                raise Conflict(f"message number {number} is not above {last}")
            last = number

    def add_message(self, number: int, domain_id: int, octets: int) -> None:
        """One message more."""
        figures = self._figures[domain_id]
        figures.add(1, octets)
        figures.last_number = self.last_number = number
        self._touched.add(domain_id)

    def remove_messages(self, domain_id: int, messages: int, octets: int, refused: int = 0) -> None:
        """So many fewer, `refused` of them with nobody held."""
        figures = self._figures[domain_id]
        figures.add(-messages, -octets)
        self.move_to_refused(domain_id, -refused)

    def move_to_refused(self, domain_id: int, messages: int) -> None:
        """So many messages more have nobody held any longer; negative: so many have again."""
        self._figures[domain_id].refused += messages
        self._touched.add(domain_id)

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what it holds at this point of the transaction."""
        figures = self._figures.get(domain_id)
        return figures.usage if figures else NO_USAGE

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what its domains hold at this point of the transaction; refused is not counted."""
        figures = self._of_accounts.get(account)
        return DomainUsage(figures.messages, figures.octets) if figures else NO_USAGE

    # --- drains

    def touch_drain(self, domain_id: int) -> None:
        """Note that the drain of a domain changes in this transaction."""
        self._touched_drains.add(domain_id)

    # --- the end of a transaction

    @property
    def is_behind(self) -> bool:
        """Whether rows of `usage` lack mail that is durable."""
        return bool(self._behind)

    def unwritten(self) -> list[list[int]]:
        """Return the rows of `usage` that this transaction must write, with those left behind.

        Otherwise the highest number in the table would be that of one domain's mail, and older mail
        of another not counted.
        """
        rows = (
            (domain_id, self._figures.get(domain_id)) for domain_id in self._touched | self._behind
        )
        return [
            [domain_id, f.messages, f.octets, f.refused, f.last_number]
            for domain_id, f in rows
            if f
        ]

    def fall_behind(self) -> None:
        """Note that mail was held and the table not written."""
        self._behind |= self._touched

    def catch_up(self) -> None:
        """Note that what `unwritten` told was written."""
        self._behind.clear()

    def balance(self) -> LedgerBalance:
        """Say what changed since the last call; to be called when it is durable."""
        balance = self._balance(self._touched, self._touched_drains)
        self.has_new_records = False
        self._touched.clear()
        self._touched_drains.clear()
        return balance

    def _balance(self, domain_ids: Iterable[int], drains: Iterable[int]) -> LedgerBalance:
        usages = {domain_id: self.usage(domain_id) for domain_id in domain_ids}
        return LedgerBalance(
            usages,
            {domain_id: self._accounts.get(domain_id, "") for domain_id in usages},
            self.last_number,
            {domain_id: self.drains.records.get(domain_id) for domain_id in drains},
            self.has_new_records,
        )


def _drain_record(row: Row) -> DrainRecord:
    """Return the drain of a row of drain_queries.DRAINS."""
    domain_id, number, _, requested_at, deadline, times, stop, release, requested_by, way = row
    drain = Drain(domain_id, number, requested_at, deadline, release, requested_by, DrainWay(way))
    return DrainRecord(drain, times, stop)
