"""A pattern means the same to the database as to the program."""

import asyncio

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.mail.address import path_matches
from restante.store.postgres.path_pattern import regular_expression
from tests.postgres_cluster import PostgresCluster

SIGNS = "aB@.*?[]!^-\\$|()+{}z"


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*@alpha.example", "Anna@ALPHA.example", True),
        ("*@alpha.example", "anna@alpha-example", False),
        ("b?rt@*", "bert@x", True),
        ("b?rt@*", "brt@x", False),
        ("[ab]*", "bert", True),
        ("[!ab]*", "bert", False),
        ("[a-c]x", "bx", True),
        ("[", "[", True),
        ("a+b", "a+b", True),
        ("a+b", "aab", False),
        ("", "", True),
        ("*", "a\nb", True),
    ],
)
def test_a_pattern_matches(
    postgres_cluster: PostgresCluster, pattern: str, path: str, *, matches: bool
) -> None:
    assert path_matches(path, pattern) is matches
    assert asked(postgres_cluster, [(pattern, path)]) == [matches]


@settings(max_examples=15)
@given(st.lists(st.tuples(st.text(SIGNS, max_size=6), st.text(SIGNS, max_size=6)), min_size=40))
def test_any_pattern_means_the_same(
    postgres_cluster: PostgresCluster, pairs: list[tuple[str, str]]
) -> None:
    expected = [path_matches(path, pattern) for pattern, path in pairs]
    assert asked(postgres_cluster, pairs) == expected


def asked(cluster: PostgresCluster, pairs: list[tuple[str, str]]) -> list[bool]:
    """Ask the database which paths match."""

    async def ask() -> list[bool]:
        connection = await asyncpg.connect(cluster.url("postgres"))
        try:
            return [
                await connection.fetchval(
                    "SELECT $1::text ~* $2::text", path, regular_expression(pattern)
                )
                for pattern, path in pairs
            ]
        finally:
            await connection.close()

    return asyncio.run(ask())
