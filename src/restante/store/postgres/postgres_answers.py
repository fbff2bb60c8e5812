"""The answers to requests that may be repeated, in the store on PostgreSQL."""

from functools import partial
from typing import Final

from restante.store.answer_store import AnswerBounds, KeptAnswer
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction

_ANSWER: Final = """
    SELECT request, at, status, body FROM answer WHERE key_owner = $1 AND key = $2 AND at >= $3
"""
_FORGET_BEFORE: Final = "DELETE FROM answer WHERE at < $1"
_KEEP: Final = """
    INSERT INTO answer (key_owner, key, request, at, status, body) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (key_owner, key) DO NOTHING
"""
_TRIM_OWNER: Final = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM answer WHERE key_owner = $1 ORDER BY id DESC OFFSET $2
    )
"""
# Each account keeps its newest answers before another keeps its older ones. The account of an owner
# is its text up to the first line end.
_TRIM_NUMBER: Final = """
    DELETE FROM answer WHERE (SELECT count(*) FROM answer) > $1 AND id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (
                PARTITION BY substr(key_owner, 1, strpos(key_owner, E'\\n')) ORDER BY id DESC
            ) AS place FROM answer
        ) AS placed ORDER BY place, id DESC OFFSET $1
    )
"""
_TRIM_OCTETS: Final = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(octets) OVER (ORDER BY own, id DESC) AS octets FROM (
                SELECT id, octets, sum(octets) OVER (PARTITION BY account ORDER BY id DESC) AS own
                FROM (
                    SELECT id, substr(key_owner, 1, strpos(key_owner, E'\\n')) AS account,
                        coalesce(length(body), 0) AS octets FROM answer
                ) AS sizes
            ) AS owned
        ) AS summed WHERE octets > $1
    )
"""


class PostgresAnswers:
    """An `AnswerStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def answer(self, key_owner: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to the owner's request with this key, if it is not older."""
        rows = await self._core.fetch(_ANSWER, key_owner, key, since)
        return KeptAnswer(*rows[0]) if rows else None

    async def keep_answer(
        self, key_owner: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""
        await self._core.write(
            partial(_keep, key_owner=key_owner, key=key, answer=answer, bounds=bounds)
        )


async def _keep(
    transaction: PostgresTransaction,
    key_owner: str,
    key: str,
    answer: KeptAnswer,
    bounds: AnswerBounds,
) -> None:
    row = (key_owner, key, answer.request, answer.at, answer.status, answer.body)
    await transaction.fetch(_FORGET_BEFORE, bounds.since)
    await transaction.fetch(_KEEP, *row)
    await transaction.fetch(_TRIM_OWNER, key_owner, bounds.of_owner)
    await transaction.fetch(_TRIM_NUMBER, bounds.number)
    await transaction.fetch(_TRIM_OCTETS, bounds.octets)
