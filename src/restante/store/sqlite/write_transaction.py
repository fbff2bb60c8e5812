"""One transaction of the writer, shared by the changes that were waiting when it began."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import apsw

from restante.store.sqlite import ledger_queries, mail_queries
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.engine import Bindings, fetch
from restante.store.sqlite.ledger import Ledger
from restante.store.stored_form.row_type import Row


@dataclass(slots=True)
class WriteTransaction:
    """The resources of a change.

    It raises StoreError, if it must, before it has changed anything here.
    """

    connection: apsw.Connection
    ledger: Ledger
    ballast: Ballast
    new_messages: list[Row] = field(default_factory=list)  # inserted together, at the end
    files_to_remove: list[str] = field(
        default_factory=list
    )  # content files that no message refers to after commit
    _is_begun: bool = False  # at the first statement: new mail alone needs no BEGIN

    def execute(self, query: str, bindings: Bindings = ()) -> list[Row]:
        """Run one statement to its end."""
        self._begin()
        return fetch(self.connection, query, bindings)

    def commit(self) -> None:
        """Write the postponed rows together, and make everything durable.

        Mostly that is new mail only. Then it is one statement, a transaction by itself: beside a
        busy event loop each statement waits for its turn of the interpreter. Three fewer are 7 %
        more messages a second with a connection each, 23 % on kept ones (4 KiB, 20 sessions, in
        pairs).
        """
        if not self._is_begun and 0 < len(self.new_messages) <= mail_queries.MOST_ROWS:
            self._hold(self.new_messages)
            self.ledger.fall_behind()
            return
        for start in range(0, len(self.new_messages), mail_queries.MOST_ROWS):
            self._begin()
            self._hold(self.new_messages[start : start + mail_queries.MOST_ROWS])
        if rows_of_usage := self.ledger.unwritten():
            self.execute(ledger_queries.KEEP_USAGES, (str(rows_of_usage),))
        if self._is_begun:
            self.connection.execute(ledger_queries.COMMIT)
            self.ledger.catch_up()

    def _begin(self) -> None:
        if not self._is_begun:
            self._is_begun = True
            self.connection.execute(ledger_queries.BEGIN)

    def _hold(self, rows: list[Row]) -> None:
        self.connection.execute(
            mail_queries.hold_messages(len(rows)), tuple(chain.from_iterable(rows))
        )


SqliteChange = Callable[[WriteTransaction], Any]
