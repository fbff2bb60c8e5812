"""A URL with several hosts is taken apart as libpq means it."""

import pytest

from restante.store.postgres.database_hosts import url_of_each_host


@pytest.mark.parametrize(
    ("url", "urls"),
    [
        ("postgresql://db1/mail", ["postgresql://db1/mail"]),
        (
            "postgresql://restante@db1,db2:5433/mail?sslmode=verify-full",
            [
                "postgresql://restante@db1/mail?sslmode=verify-full",
                "postgresql://restante@db2:5433/mail?sslmode=verify-full",
            ],
        ),
        (
            "postgresql://[2001:db8::1]:5432,[2001:db8::2]/mail",
            ["postgresql://[2001:db8::1]:5432/mail", "postgresql://[2001:db8::2]/mail"],
        ),
        ("postgresql:///mail?host=/run/postgresql", ["postgresql:///mail?host=/run/postgresql"]),
        (
            "postgresql:///mail?host=db1,db2&user=restante",
            [
                "postgresql:///mail?host=db1&user=restante",
                "postgresql:///mail?host=db2&user=restante",
            ],
        ),
        (
            "postgresql:///mail?host=/run/a,/run/b&port=5432,5433",
            [
                "postgresql:///mail?host=/run/a&port=5432",
                "postgresql:///mail?host=/run/b&port=5433",
            ],
        ),
        (
            "postgresql:///mail?host=db1,db2&port=6432",
            [
                "postgresql:///mail?host=db1&port=6432",
                "postgresql:///mail?host=db2&port=6432",
            ],
        ),
        ("postgresql:///mail", ["postgresql:///mail"]),
    ],
)
def test_each_host_has_a_url_with_all_else(url: str, urls: list[str]) -> None:
    assert url_of_each_host(url) == urls


def test_ports_that_are_not_as_many_as_hosts_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        url_of_each_host("postgresql:///mail?host=a,b,c&port=1,2")
