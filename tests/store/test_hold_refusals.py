"""Mail for a removed domain is refused with all its parts, and no other mail with it."""

import pytest

from restante.store.hold_refusals import refused_of
from restante.store.store_errors import Conflict
from tests.contract.making import message

GONE = 9


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ([], {}),
        ([(1, 1, 0), (2, 2, 0)], {}),
        ([(1, GONE, 0), (2, 1, 0)], {1}),
        ([(1, 1, 0), (2, GONE, 1), (3, 2, 1)], {1, 2, 3}),
        ([(1, GONE, 0), (2, 1, 1), (3, 1, 0), (4, 2, 3)], {1, 2}),
        ([(1, GONE, 0), (2, GONE, 1)], {1, 2}),
    ],
)
def test_the_parts_of_one_mail_are_refused_together(
    parts: list[tuple[int, int, int]], refused: set[int]
) -> None:
    """Each part is its number, its domain and the number of the first part, 0 for itself."""
    new = [message(number, domain)._replace(first=first) for number, domain, first in parts]
    found = refused_of(new, lambda domain_id: domain_id != GONE)
    assert found.keys() == set(refused)
    assert all(isinstance(why, Conflict) and "domain 9" in str(why) for why in found.values())
