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


@pytest.mark.parametrize(
    "rest",
    [
        "//host/mail",
        "//restante@db1,db2:5433/mail?sslmode=verify-full&target_session_attrs=primary",
        "//restante@[2001:db8::1]:5432/mail",
        "///mail?host=/run/postgresql&passfile=/etc/restante/pgpass",
        "//host?dbname=mail",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_store_on_postgresql_has_the_url_of_its_database(scheme: str, rest: str) -> None:
    read = parse_store_url(f"{scheme}:{rest}")
    assert read == StoreUrl(StoreKind.POSTGRESQL, database=f"postgresql:{rest}")
    assert str(read) == read.database


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:mail",
        "postgresql://host",
        "postgresql://host/",
        "postgresql://host/mail#x",
        "postgresql://host/mail?sslmode",
        "postgresql://[::1/mail",
    ],
)
def test_a_url_of_no_database_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(StoreUrlUnusable, match="postgresql://USER@HOST/DATABASE"):
        parse_store_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://restante:hunter2@host/mail",
        "postgresql://host/mail?password=hunter2",
        "postgresql://host/mail?sslpassword=hunter2",
        "postgresql://a@b:hunter2@host/mail",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(StoreUrlUnusable, match=r"has a password.*store_password_file") as caught:
        parse_store_url(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["memory:", "postgresql://host/mail"])
def test_a_store_without_files_has_no_directory(text: str) -> None:
    with pytest.raises(StoreUrlUnusable, match="has no directory"):
        store_directory(text)
