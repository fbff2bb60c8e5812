"""A record has one lock, by whatever name it is called."""

import pytest

from restante.admin.record_locks import RecordLocks


@pytest.mark.parametrize(
    "path",
    [
        "/v1/domains/xn--bcher-kva.example",
        "/v1/domains/bücher.example",
        "/v1/domains/BÜCHER.example",
        "/v1/domains/XN--BCHER-KVA.EXAMPLE.",
    ],
)
def test_each_spelling_of_a_domain_has_the_same_lock(path: str) -> None:
    locks = RecordLocks()
    lock = locks.of("/v1/domains/bücher.example")
    assert locks.of(path) is lock


def test_other_records_have_other_locks() -> None:
    locks = RecordLocks()
    one, other = locks.of("/v1/accounts/a"), locks.of("/v1/domains/a")
    assert one is not other
    assert one is not locks.of("/v1/accounts/ä_")
