"""The answers port of the store on SQLite."""

from functools import partial

import apsw

from restante.store.answer_store import AnswerBounds, KeptAnswer
from restante.store.sqlite import answer_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction


class SqliteAnswers:
    """An `AnswerStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def answer(self, key_owner: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to the owner's request with this key, if it is not older."""
        return await self._core.read(partial(_answer, key_owner=key_owner, key=key, since=since))

    async def keep_answer(
        self, key_owner: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""
        await self._core.write(
            partial(_keep_answer, key_owner=key_owner, key=key, answer=answer, bounds=bounds)
        )


def _answer(
    connection: apsw.Connection, key_owner: str, key: str, since: float
) -> KeptAnswer | None:
    for row in fetch(connection, answer_queries.ANSWER, (key_owner, key, since)):
        return KeptAnswer(*row)
    return None


def _keep_answer(
    transaction: WriteTransaction,
    key_owner: str,
    key: str,
    answer: KeptAnswer,
    bounds: AnswerBounds,
) -> None:
    row = (key_owner, key, answer.request, answer.at, answer.status, answer.body)
    transaction.execute(answer_queries.FORGET_BEFORE, (bounds.since,))
    transaction.execute(answer_queries.KEEP, row)
    transaction.execute(answer_queries.TRIM_OWNER, (key_owner, bounds.of_owner))
    transaction.execute(answer_queries.TRIM_NUMBER, (bounds.number,))
    transaction.execute(answer_queries.TRIM_OCTETS, (bounds.octets,))
