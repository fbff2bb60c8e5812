"""Whether all of a store is what was written: the database, every content, every figure.

Changes nothing.

It works beside a running server, and where the store cannot be opened: every fault is a
finding. Everything but the engine's own check is read in short transactions, so that a server's log
can be reused meanwhile.
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw

from restante.phrases import cause_of
from restante.store.sqlite import (
    care_queries,
    engine,
    ledger_queries,
    migrations,
    record_reading,
    report_reading,
    start_check,
)
from restante.store.sqlite.directory_lock import DirectoryLock
from restante.store.sqlite.log_mark import LogMark
from restante.store.sqlite.log_remains import lost_part
from restante.store.sqlite.newer_schema import newer_schema
from restante.store.sqlite.regular_file import look_at, what_is_wrong
from restante.store.sqlite.sqlite_keys import next_data_keys
from restante.store.store_care import SealedRows, StoreFinding, StoreReport
from restante.store.store_errors import StoreUnusable
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import file_octets, is_whole

_DATABASE = "restante.db"
_CONTENT = "content"
_BATCH = 200  # messages read in one transaction
_KEYS_AT_ONCE = 500
_REPORTS = 100  # each with a header of somebody's mail

OnChecked = Callable[[int, int], None]
"""Told, now and then, how many messages were looked at, and how many there are."""


def check_directory(directory: Path, on_progress: OnChecked) -> StoreReport:
    """Look at everything. Blocks, for as long as it takes to read all of it."""
    report = StoreReport(
        engine=f"SQLite {apsw.sqlite_lib_version()}", schema_known=len(migrations.MIGRATIONS)
    )
    lock = _lock(directory, report)
    try:
        _Check(directory, report, on_progress).run()
    finally:
        if lock is not None:
            lock.release()
    return report


def _lock(directory: Path, report: StoreReport) -> DirectoryLock | None:
    """Keep servers from starting meanwhile; where one runs, take note of it."""
    try:
        return DirectoryLock(directory)
    except StoreUnusable:
        report.is_in_use = True
        return None


class _Check:
    def __init__(self, directory: Path, report: StoreReport, on_progress: OnChecked) -> None:
        self._directory = directory
        self._report = report
        self._on_progress = on_progress
        self._named: set[str] = set()
        self._is_all_named = False  # before that, nobody knows which files lack a row
        self._connection: apsw.Connection  # while `run` runs

    def run(self) -> None:
        path = self._directory / _DATABASE
        if lost := LogMark(path).lost:
            self._found("log", lost)
        present = self._files()
        if not path.is_file() or not path.stat().st_size:
            self._found("database", f"{path} is not there, or is empty")
        else:
            self._guarded(path)
        if self._is_all_named:
            self._report.orphans = sorted((present & self._files()) - self._named)

    def _found(self, kind: str, text: str, number: int | None = None) -> None:
        self._report.findings.append(StoreFinding(kind, text, number))

    def _guarded(self, path: Path) -> None:
        """Look at each part, though another cannot be read."""
        try:
            with closing(engine.open_reader(path)) as self._connection:
                for look in (
                    self._look_at_schema,
                    partial(self._look_at_log, path),
                    self._look_at_database,
                    self._look_at_figures,
                    self._read_sealed,
                    self._look_at_contents,
                ):
                    self._guarded_look(look)
        except (OSError, apsw.Error) as error:
            self._found_unreadable(error)

    def _guarded_look(self, look: Callable[[], None]) -> None:
        try:
            look()
        except (OSError, apsw.Error, UnicodeDecodeError) as error:
            self._found_unreadable(error)

    def _found_unreadable(self, error: Exception) -> None:
        finding = StoreFinding("database", f"cannot be read further: {cause_of(error)}")
        if finding not in self._report.findings:  # several parts can come to one page
            self._report.findings.append(finding)

    def _look_at_schema(self) -> None:
        self._report.schema = int(self._connection.pragma("user_version"))
        if newer := newer_schema(self._connection, self._directory):
            self._found("schema", newer)

    def _look_at_log(self, path: Path) -> None:
        if lost := lost_part(path):
            self._found("log", lost)

    def _look_at_database(self) -> None:
        for finding in start_check.findings(self._connection):
            self._found("database", finding)

    def _look_at_figures(self) -> None:
        """Compare what is kept of each domain with a recount, as at one moment."""
        with self._connection:
            kept = self._kept_figures()
            counted = {row[0]: row[1:4] for row in self._fetch(care_queries.RECOUNT)}
            # An older schema has no such counts.
            is_up_to_date = self._report.schema == self._report.schema_known
            backlogs = self._fetch(care_queries.RECOUNT_BACKLOGS) if is_up_to_date else []
            [(self._report.messages, self._report.octets)] = self._fetch(care_queries.TOTALS)
        for domain_id in sorted(kept.keys() | counted.keys()):
            figures = (kept.get(domain_id, (0, 0, 0)), counted.get(domain_id, (0, 0, 0)))
            if figures[0] != figures[1]:
                names = "messages, octets, refused"
                self._found(
                    "figures",
                    f"domain {domain_id}: kept {figures[0]}, counted {figures[1]} ({names})",
                )
        for name, count, recount in backlogs:
            if count != recount:
                self._found("figures", f"{name} that wait: kept {count}, counted {recount}")

    def _kept_figures(self) -> dict[int, tuple[int, int, int]]:
        """Return what is kept of each domain, with the newest mail, which the table lacks."""
        kept = {row[0]: row[1:4] for row in self._fetch(ledger_queries.USAGES)}
        for domain_id, messages, octets, _ in self._fetch(ledger_queries.UNCOUNTED):
            before = kept.get(domain_id, (0, 0, 0))
            kept[domain_id] = (before[0] + messages, before[1] + octets, before[2])
        return kept

    def _read_sealed(self) -> None:
        """Read the rows that only the key file opens."""
        if self._report.schema != self._report.schema_known:
            return
        data_keys: dict[int, tuple[bytes, ...]] = {}
        while found := next_data_keys(self._connection, max(data_keys, default=0), _KEYS_AT_ONCE):
            data_keys.update(found)
        reports = report_reading.sealed_reports(self._connection, 0, _REPORTS)
        self._report.sealed = SealedRows(
            data_keys, reports, record_reading.directory(self._connection)
        )

    def _fetch(self, statement: str) -> list[Row]:
        return engine.fetch(self._connection, statement)

    def _look_at_contents(self) -> None:
        last = 0
        while rows := engine.fetch(self._connection, care_queries.CONTENTS_AFTER, (last, _BATCH)):
            for row in rows:
                self._look_at_message(row)
            last = rows[-1][0]
            self._on_progress(self._report.contents_read, self._report.messages)
        self._is_all_named = True

    def _look_at_message(self, row: Row) -> None:
        number, size, head_crc32, head, file, file_crc32 = row
        self._report.contents_read += 1
        if not is_whole(head, head_crc32):
            self._found("content", "does not match its checksum", number)
        if file is None:
            return
        self._named.add(file)
        wrong = self._wrong_with_file(file, file_octets(size, head, head_crc32), file_crc32)
        if wrong and engine.fetch(
            self._connection, care_queries.IS_HELD, (number,)
        ):  # otherwise it was delivered meanwhile
            self._found("content", f"file {file} {wrong}", number)

    def _wrong_with_file(self, name: str, size: int, crc32: int) -> str:
        """Return what is wrong with a content file, "" if nothing."""
        try:
            found_size, found_crc32, _ = look_at(self._directory / _CONTENT / name, 0)
        except OSError as error:
            return what_is_wrong(error)
        return (
            ""
            if (found_size, found_crc32) == (size, crc32)
            else "does not match its size and checksum"
        )

    def _files(self) -> set[str]:
        return {
            f"{path.parent.name}/{path.name}" for path in (self._directory / _CONTENT).glob("*/*")
        }
