"""A database of the present schema in memory, and changes of it without a writer's thread."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from restante.store.figure_store import DomainUsage
from restante.store.handover_store import Drain
from restante.store.sqlite import care_queries, engine, ledger_queries, migrations
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.ledger import Ledger
from restante.store.sqlite.mail_changes import hold
from restante.store.sqlite.record_changes import open_drain, put_account, put_domain
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import message_row
from tests.contract.making import NOTED, account, domain, message


def plan(connection: apsw.Connection, query: str, bindings: Any) -> list[str]:
    """The steps, without the numbers that SQLite gives to subqueries."""
    rows = connection.execute(f"EXPLAIN QUERY PLAN {query}", bindings).fetchall()
    return [str(row[3]).rstrip("0123456789: ").removesuffix(" INDEX") for row in rows]


def empty_database(path: Path, page_size: int) -> None:
    """Make a database without a table, in which a store is opened."""
    path.parent.mkdir(exist_ok=True)
    with closing(engine.open_write_connection(path, page_size=page_size)):
        pass


class Tables:
    """The tables, and the ledger of the changes so far."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        engine.add_functions(self.connection)
        migrations.migrate(self.connection)
        self.ledger = Ledger.read(self.connection)
        self.ballast = Ballast(Path("/no/such/directory/ballast"), 0)
        self.files_removed: list[str] = []

    def change(self, body: Callable[..., Any], *words: Any, **named: Any) -> Any:
        """Make one change in a transaction of its own. If it raises, everything is undone."""
        transaction = WriteTransaction(self.connection, self.ledger, self.ballast)
        try:
            answer = body(transaction, *words, **named)
            transaction.commit()
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute(ledger_queries.ROLLBACK)
            self.ledger = Ledger.read(self.connection)
            raise
        self.files_removed += transaction.files_to_remove
        return answer

    def rows(self, query: str, *bindings: Any) -> list[Row]:
        """Read rows."""
        return fetch(self.connection, query, bindings)

    def host(self, name: str = "alpha.example", of: str = "alpha") -> int:
        """Put an account and a domain; return the domain's id."""
        self.change(put_account, account(of), NOTED)
        return int(self.change(put_domain, domain(name, of), NOTED).id)

    def hold(self, number: int, domain_id: int, *to: str, **fields: Any) -> None:
        """Hold one message."""
        new = message(number, domain_id, *to, **fields)
        assert self.change(hold, [new], [message_row(new)]) == {}

    def drain(self, domain_id: int) -> Drain:
        """Open a drain."""
        drain = self.change(open_drain, domain_id, 0.0, 60.0)
        assert isinstance(drain, Drain)
        return drain

    def standing(self, number: int) -> tuple[list[str], dict[str, tuple[int, str]]]:
        """The held recipients of a message, and the mark of each recipient with a reply."""
        found = self.rows("SELECT held_paths FROM message WHERE number = ?", number)
        replies = self.rows(
            "SELECT forward_path, is_refused, reply FROM last_reply WHERE number = ?", number
        )
        held = found[0][0].split("\n") if found and found[0][0] else []
        return held, {path: (mark, reply) for path, mark, reply in replies}

    def check_figures(self) -> None:
        """Hold the running figures, and those that a start would read, against a recount."""
        counted = {
            domain_id: DomainUsage(*figures)
            for domain_id, *figures in self.rows(care_queries.RECOUNT)
        }
        for ledger in (self.ledger, Ledger.read(self.connection)):
            kept = ledger.balance_of_all().usages
            assert {one: usage for one, usage in kept.items() if usage.messages} == counted
