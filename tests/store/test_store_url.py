"""The URL of a store, and the store that is opened by it."""

from pathlib import Path

import pytest

from restante.store.store_url import (
    StoreKind,
    StoreUrl,
    StoreUrlUnusable,
    parse_store_url,
    store_directory,
)


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("sqlite:///var/lib/restante", Path("/var/lib/restante")),
        ("sqlite:/var/lib/restante", Path("/var/lib/restante")),
        ("sqlite:data", Path("data")),
        ("sqlite:./a:b", Path("a:b")),
    ],
)
def test_a_store_on_sqlite_has_a_directory(text: str, directory: Path) -> None:
    assert parse_store_url(text) == StoreUrl(StoreKind.SQLITE, directory)
    assert store_directory(text) == directory


@pytest.mark.parametrize("text", ["sqlite:///var/lib/restante", "sqlite:data", "memory:"])
def test_a_url_that_was_understood_is_written_alike(text: str) -> None:
    assert str(parse_store_url(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data",
        "sqlite",
        "sqlite:",
        "sqlite://host/x",
        "mysql://x/y",
        "memory",
        "memory:x",
        "///",
    ],
)
def test_a_wrong_store_url_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(StoreUrlUnusable, match='is not the URL of a store; write "sqlite:///'):
        parse_store_url(text)


def test_postgresql_is_named_as_missing() -> None:
    with pytest.raises(StoreUrlUnusable, match="PostgreSQL is not in this version yet"):
        parse_store_url("postgresql://host/mail")


def test_a_store_in_memory_has_no_directory() -> None:
    with pytest.raises(StoreUrlUnusable, match="has no directory"):
        store_directory("memory:")
