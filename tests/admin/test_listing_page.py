"""A page has its items and the cursor of the next one, which names the last item."""

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.listing_page import number_at, page_of


@pytest.mark.parametrize(
    ("count", "after"),
    [(0, None), (2, None), (3, None), (4, "2")],
    ids=["none", "few", "all", "more"],
)
def test_a_page_has_a_cursor_only_if_more_rows_were_read(count: int, after: str | None) -> None:
    page = page_of(range(count), 3, str, lambda row: row)
    assert list(page.views) == ["0", "1", "2"][:count]
    assert (page.after, page.is_short) == (after, False)


@pytest.mark.parametrize(
    ("cursor", "number"), [("", None), ("0", 0), ("17", 17), (str(2**63 - 1), 2**63 - 1)]
)
def test_a_cursor_is_a_number(cursor: str, number: int | None) -> None:
    assert number_at(cursor) == number


@pytest.mark.parametrize("cursor", [str(2**63), "9" * 1000, "-1", "1.0", "٣", " 1"])
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(AdminError, match="is not in this list"):
        number_at(cursor)
