"""Writes whatever can be read of a damaged store into a new one, and names the rest.

    each table, past its damage (damaged_table.py)   →   the same table of a new database
    mail that the table's tree no longer        →   from the pages themselves (leaf_pages.py), where
    reaches                                         its checksum is right
    each content file, if it is whole           →   a second name for it, or a copy
    figures, counters                           →   counted again
    domains with nothing left but mail          →   recreated, suspended, to be corrected

The damaged store is only read, and stays as it is. The new database gets its name last, so that an
interrupted salvage leaves no store. A row read from the pages may be of mail that had left:
salvaged mail is rather handed over twice than never.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import apsw

from restante.store.sqlite import (
    care_queries,
    key_queries,
    ledger_queries,
    migrations,
    record_queries,
    salvage_source,
)
from restante.store.sqlite.backup import PARTIAL, copy_beside, copy_file, prepare_directory, sync
from restante.store.sqlite.damaged_table import UNREADABLE, TolerantReader, UnreadableGap, table_of
from restante.store.sqlite.directory_lock import lock_without_server
from restante.store.sqlite.engine import choose_page_layout, fetch, page_size_of, quoted
from restante.store.sqlite.leaf_pages import LeafPages, is_message
from restante.store.sqlite.log_mark import LogMark
from restante.store.sqlite.log_remains import lost_part
from restante.store.sqlite.lost_domains import keep_domains
from restante.store.sqlite.newer_schema import check_not_newer
from restante.store.sqlite.regular_file import look_at, what_is_wrong
from restante.store.store_care import SalvageReport, StoreFinding
from restante.store.store_errors import StoreError, StoreFull, StoreUnusable
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import file_octets, is_whole

OnSalvaged = Callable[[int], None]
"""Told, now and then, how many messages were salvaged."""

_DATABASE, _CONTENT = "restante.db", "content"
_COUNTED_ANEW = ("usage", "counter", "sqlite_sequence", "change", "message_key")
_NUMBER, _DOMAIN_ID, _SIZE, _REVERSE_PATH, _HELD, _FILE, _FILE_CRC32, _HEAD_CRC32, _HEAD = (
    0,
    1,
    3,
    5,
    6,
    7,
    8,
    9,
    10,
)
_BETWEEN_PROGRESS = 100  # messages


def salvage(directory: Path, target: Path, on_progress: OnSalvaged) -> SalvageReport:
    """Salvage the store in a directory into `target`, which is empty or not there. Blocks.

    Raises StoreUnusable where nothing can be read or a server has the store, StoreError where it
    cannot be written.
    """
    if not (directory / _DATABASE).is_file():
        raise StoreUnusable(
            f"{directory / _DATABASE} is not there: there is nothing to salvage; restore a backup"
        )
    lock = lock_without_server(directory)
    try:
        prepare_directory(target)
        copy_beside(directory, target)
        work = target / "work"
        work.mkdir(mode=0o700)
        try:
            return _salvaged(directory, target, work, on_progress)
        finally:
            shutil.rmtree(work)
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror or error}") from error
    except apsw.FullError as error:
        raise StoreFull(f"{target}: there is not enough disk space") from error
    finally:
        lock.release()


def _salvaged(directory: Path, target: Path, work: Path, on_progress: OnSalvaged) -> SalvageReport:
    report = SalvageReport()
    if lost_log := LogMark(directory / _DATABASE).lost:
        report.lost.append(StoreFinding("log", lost_log))
    with salvage_source.opened(directory / _DATABASE, work) as (source, version, first_page):
        check_not_newer(source, directory)
        if first_page:
            report.lost.append(
                StoreFinding("database", f"{first_page}; data that only the log had may be missing")
            )
        elif lost := lost_part(directory / _DATABASE):
            report.lost.append(StoreFinding("log", lost))
        with closing(_new_database(target / PARTIAL, version)) as made:
            run = _Salvage(
                directory, target, source=source, made=made, report=report, on_progress=on_progress
            )
            run.run(version)
    is_any_unreadable = any(lost.kind not in {"log", "database"} for lost in report.lost)
    if is_any_unreadable and not (report.messages or report.rows):
        (target / PARTIAL).unlink()
        shutil.rmtree(target / _CONTENT)
        raise salvage_source.unreadable(directory / _DATABASE)
    sync(target / PARTIAL)
    (target / PARTIAL).rename(target / _DATABASE)
    sync(target)
    return report


def _new_database(path: Path, version: int) -> apsw.Connection:
    """Make one of the schema that the damaged one has.

    Nothing of it is believed before it has its name.
    """
    path.touch(mode=0o600)
    connection = apsw.Connection(str(path))
    choose_page_layout(connection)
    connection.pragma("journal_mode", "OFF")
    connection.pragma("synchronous", "OFF")
    migrations.migrate(connection, migrations.MIGRATIONS[:version])
    return connection


class _Salvage:
    """One run."""

    def __init__(
        self,
        directory: Path,
        target: Path,
        *,
        source: apsw.Connection,
        made: apsw.Connection,
        report: SalvageReport,
        on_progress: OnSalvaged,
    ) -> None:
        """`source` is open on the damaged database, `made` on the new one."""
        self._directory = directory
        self._target = target
        self._source = source
        self._made = made
        self._report = report
        self._on_progress = on_progress
        self._kept: set[int] = set()  # numbers of salvaged messages
        self._wrong: dict[int, str] = {}  # by number, messages that were read and are not whole

    def run(self, version: int) -> None:
        """Salvage everything."""
        names = [name for (name,) in fetch(self._made, care_queries.TABLES)]
        for name in names:
            if name == "message":
                self._mail()
            elif name not in _COUNTED_ANEW:
                self._table(name)
        self._count_anew(set(names))
        migrations.migrate(self._made)
        self._report.lost += keep_domains(self._made)
        self._report.schema = (version, len(migrations.MIGRATIONS))
        for shard in (*(self._target / _CONTENT).iterdir(), self._target / _CONTENT):
            sync(shard)

    def _table(self, name: str) -> None:
        table = table_of(self._made, name)
        columns = ", ".join("?" * len(table.columns))
        insert = f"INSERT OR IGNORE INTO {quoted(name)} VALUES ({columns})"  # noqa: S608

        def keep(row: Row) -> None:
            try:
                self._made.execute(insert, row)
            except (apsw.ConstraintError, apsw.MismatchError):
                self._lose(name, f"a row that cannot be one: {row[0]}")
            else:
                self._report.rows[name] = self._report.rows.get(name, 0) + 1

        with self._made:
            for gap in self._read(name, keep):
                self._lose(name, f"rows {gap.text} cannot be read")

    def _read(self, name: str, keep: Callable[[Row], None]) -> list[UnreadableGap]:
        """Read a table of the damaged database as far as possible; return the unreadable gaps."""
        reader = TolerantReader(self._source, table_of(self._made, name), keep)
        try:
            reader.read()
        except apsw.SQLError as error:
            self._lose(name, f"none of it can be read: {error}")
        return reader.gaps

    def _lose(self, kind: str, text: str, number: int | None = None) -> None:
        self._report.lost.append(StoreFinding(kind, text, number))

    # --- mail

    def _mail(self) -> None:
        """Keep the messages of the table, then those that only pages or other records know.

        Rows can be missing though every page is readable: the disk may return an earlier or another
        page, or a row in it was overwritten.
        """
        with self._made:
            gaps = self._read("message", self._keep_message)
            known = self._known_elsewhere(gaps)
            if gaps or self._wrong or known.keys() - self._kept:
                self._mail_of_pages({*self._wrong, *known} - self._kept, gaps)
            self._name_the_lost(known)

    def _keep_message(self, row: Row) -> None:
        """Keep a message, if its content is what was written. A damaged tree can lead to it twice.

        The first whole row of a number counts.
        """
        number = row[_NUMBER]
        if number in self._kept:
            return
        wrong = self._what_is_wrong(row)
        if wrong:
            self._wrong.setdefault(number, _named(row, wrong))
            return
        self._kept.add(number)
        columns = ", ".join("?" * len(row))
        insert = f"INSERT OR IGNORE INTO message VALUES ({columns})"  # noqa: S608  marks only
        self._made.execute(insert, row)
        self._report.messages += 1
        self._report.octets += row[_SIZE]
        if self._report.messages % _BETWEEN_PROGRESS == 0:
            self._on_progress(self._report.messages)

    def _what_is_wrong(self, row: Row) -> str:
        """Return why a message is not salvaged; where "", its file is in the new store."""
        head = row[_HEAD]
        if not isinstance(head, bytes) or not is_whole(head, row[_HEAD_CRC32]):
            return "its content does not match its checksum"
        if row[_FILE] is None:
            return ""
        source = self._directory / _CONTENT / row[_FILE]
        try:
            size, crc32, _ = look_at(source, 0)
        except OSError as error:
            return f"content file {row[_FILE]} {what_is_wrong(error)}"
        if (size, crc32) != (file_octets(row[_SIZE], head, row[_HEAD_CRC32]), row[_FILE_CRC32]):
            return f"content file {row[_FILE]} does not match its size and checksum"
        place = self._target / _CONTENT / row[_FILE]
        place.parent.mkdir(mode=0o700, exist_ok=True)
        copy_file(source, place)
        self._report.files += 1
        return ""

    def _mail_of_pages(self, missing: set[int], gaps: list[UnreadableGap]) -> None:
        """Look in the pages for messages that are missing, or whose number is in a gap.

        Of several with one number the last counts.
        """
        found: dict[int, Row] = {}
        page_size = page_size_of(self._source)
        with closing(LeafPages(self._directory / _DATABASE, page_size)) as pages:
            for number, row in pages.rows():
                if number in self._kept or not (number in missing or _is_in(number, gaps)):
                    continue
                if is_message(row):
                    found[number] = (number, *row[1:])
        width = len(table_of(self._made, "message").columns)
        for number in sorted(found):
            self._keep_message((*found[number], *[None] * width)[:width])

    def _known_elsewhere(self, gaps: list[UnreadableGap]) -> dict[int, int]:
        """Return the domains of the messages that other records name, as far as these are whole.

        Name the gaps in which nothing else names what is lost.
        """
        known: dict[int, int] = {}
        unnamed = [gap for gap in gaps if gap.before is None]
        for query in care_queries.KNOWN:
            try:
                known.update(
                    (number, domain_id)
                    for number, domain_id in self._source.execute(query)
                    if isinstance(number, int) and number not in self._kept
                )
            except (*UNREADABLE, apsw.SQLError):
                unnamed = gaps
        for gap in unnamed:
            self._lose(
                "message", f"rows {gap.text} cannot be read, but for those that were found on pages"
            )
        return known

    def _name_the_lost(self, known: Mapping[int, int]) -> None:
        """Name the messages that were not salvaged."""
        for number in sorted({*self._wrong, *known} - self._kept):
            lost = self._wrong.get(number) or f"of domain {known[number]}: its row cannot be read"
            self._lose("message", lost, number)

    # --- figures

    def _count_anew(self, names: set[str]) -> None:
        with self._made:
            self._keep_ids()
            last = max(self._last_numbers(), default=0)
            if "data_key" in names:
                self._made.execute(key_queries.MEND)
            self._made.execute("DELETE FROM usage")
            self._made.execute(care_queries.USAGE_ANEW)
            self._made.execute(record_queries.KEEP_LAST_NUMBER, (last,))
            self._made.execute("UPDATE counter SET value = value + 1 WHERE name = 'change-number'")
            for backlog in ("report", "notice"):
                if backlog in names:
                    counted = f"(SELECT count(*) FROM {backlog})"  # noqa: S608
                    query = f"UPDATE counter SET value = {counted} WHERE name = ?"  # noqa: S608
                    self._made.execute(query, (f"{backlog}s",))

    def _keep_ids(self) -> None:
        """Ensure that no id is given out again, neither of present records nor of removed ones."""
        try:
            given = fetch(self._source, "SELECT name, seq FROM sqlite_sequence")
        except (*UNREADABLE, apsw.SQLError):
            return
        for name, last in given:
            if not fetch(self._made, care_queries.HAS_SEQUENCE, (name,)):
                self._made.execute(care_queries.BEGIN_SEQUENCE, (name,))
            self._made.execute(care_queries.MOVE_SEQUENCE, (last, name))

    def _last_numbers(self) -> list[int]:
        """Return numbers that were given out: none of them may be again."""
        found: list[int] = [*self._kept, *self._wrong]
        for query in (
            ledger_queries.COUNTED_UP_TO,
            "SELECT max(last_number) FROM usage",
            "SELECT max(number) FROM message",
        ):
            try:
                found += [
                    number for (number,) in fetch(self._source, query) if isinstance(number, int)
                ]
            except (*UNREADABLE, apsw.SQLError):
                continue
        return found


def _named(row: Row, wrong: str) -> str:
    """Say whose message is not whole, and why."""
    if not isinstance(row[_HELD], str):
        return "a row that was never written like this"
    to = " ".join(row[_HELD].split("\n"))
    return f"from <{row[_REVERSE_PATH]}> to {to or 'nobody who waits'}: {wrong}"


def _is_in(number: int, gaps: list[UnreadableGap]) -> bool:
    return any(
        (gap.after is None or _whole(gap.after) < number)
        and (gap.before is None or number < _whole(gap.before))
        for gap in gaps
    )


def _whole(key: tuple[object, ...]) -> int:
    return key[0] if isinstance(key[0], int) else 0
