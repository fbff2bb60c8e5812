"""A request to add a record that is there already: fine with the same values, else an error.

Only the given fields count, so a later change of another field does no harm. Programs that bring a
server to a state can repeat a request until it has succeeded.

Two of them may add the same record at the same moment. The store takes one. The other finds the
record then, and gets the answer that it would have got a moment later.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.phrases import EXISTS
from restante.tenancy.record_change import Change, difference_text

MOST_NAMED: Final = 5  # differing fields

_Added = TypeVar("_Added")


class AddedMeanwhile(AdminError):  # noqa: N818
    """The store refused a new record: somebody was faster, or its account is gone."""

    def __init__(self, refusal: AdminError) -> None:
        """`refusal` is the one of a record that is there."""
        super().__init__(refusal.kind, refusal.error, refusal.remedy)


async def add_or_find(context: AdminContext, attempt: Callable[[], Awaitable[_Added]]) -> _Added:
    """Return the result of an addition. If somebody was faster, it is tried once more.

    The second attempt finds the record as it is now, and compares it. Raises AdminError.
    """
    try:
        return await attempt()
    except AddedMeanwhile:
        await context.directory.refresh()
        return await attempt()


def refuse_difference(thing: str, differing: Sequence[Change], remedy: str) -> None:
    """Raise AdminError if a record that is there differs from the one to add, and name the fields.

    `differing` leads from the record that is there to the one to add.
    """
    if not differing:
        return
    named = [difference_text(one) for one in differing[:MOST_NAMED]]
    if (more := len(differing) - MOST_NAMED) > 0:
        named.append(f"and {more} more")
    raise AdminError(ErrorKind.EXISTS, f"{thing}: {EXISTS}; {'; '.join(named)}", remedy)
