"""One page of a listing, and the cursor with which the next one is asked for.

A cursor is the place of the last item, and no count of items. So items that come or leave meanwhile
neither repeat others nor skip them, and the item of the cursor may be gone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.request_bounds import LINE_LENGTH

PAGE_ROWS: Final = 100
MOST_ROWS: Final = 500  # of a page: a few milliseconds of Python

Cursor = Annotated[
    str, Field(max_length=LINE_LENGTH, description="Begin after this item: see the Link header.")
]
PageLimit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="Items of a page.")]

_Row = TypeVar("_Row")
_View = TypeVar("_View")
_LARGEST: Final = 2**63 - 1  # number in a store
_DIGITS: Final = 20  # more than the largest has


@dataclass(frozen=True, slots=True)
class ListingPage(Generic[_View]):
    """Some items of a listing. Each view is made when it is read."""

    views: Iterator[_View]
    after: str | None  # the cursor of the next page; None: this is the last one
    is_short: bool = False  # its search was ended before it found enough: `after` goes on with it


def page_of(
    rows: Sequence[_Row], limit: int, view: Callable[[_Row], _View], place: Callable[[_Row], object]
) -> ListingPage[_View]:
    """Make a page of rows that were read for `limit + 1`; `place` gives the cursor of a row."""
    shown = rows[:limit]
    after = str(place(shown[-1])) if len(rows) > limit else None
    return ListingPage(map(view, shown), after)


def number_at(cursor: str) -> int | None:
    """Return the number that a cursor stands for, None for the first page. Raises AdminError."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal()) or int(cursor[:_DIGITS]) > _LARGEST:
        raise bad_cursor(cursor)
    return int(cursor)


def bad_cursor(cursor: str) -> AdminError:
    """Return the error of a cursor that this listing cannot have given."""
    remedy = "take it from the Link header of the page before, or leave it out for the first page"
    return AdminError(ErrorKind.INVALID, f"after: {cursor!r} is not in this list", remedy)
