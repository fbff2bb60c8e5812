"""One transaction of the writer, shared by the changes that were waiting when it began."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import apsw

from restante.store.sqlite import queries
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.engine import Bindings, Row, fetch
from restante.store.sqlite.ledger import Ledger


@dataclass(slots=True)
class Transaction:
    """What a change works on. It raises StoreError, if it must, before it has changed anything here."""

    connection: apsw.Connection
    ledger: Ledger
    ballast: Ballast
    new_messages: list[Row] = field(default_factory=list)  # inserted together, at the end
    files_to_remove: list[str] = field(default_factory=list)  # content files that no message refers to after commit

    def execute(self, query: str, bindings: Bindings = ()) -> list[Row]:
        """Run one statement to its end."""
        return fetch(self.connection, query, bindings)

    def finish(self) -> None:
        """Write what was put off so that it could be written together."""
        for start in range(0, len(self.new_messages), queries.MOST_ROWS):
            rows = self.new_messages[start : start + queries.MOST_ROWS]
            self.connection.execute(queries.hold_messages(len(rows)), tuple(chain.from_iterable(rows)))
        if rows_of_usage := self.ledger.unwritten():
            self.connection.execute(queries.KEEP_USAGES, (str(rows_of_usage),))


Change = Callable[[Transaction], Any]
