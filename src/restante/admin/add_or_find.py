"""Two requests that add the same record at the same moment.

The store takes one. The other finds the record then, and gets the answer that it would have got a
moment later (`repeated_add`).
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError

_Added = TypeVar("_Added")


class AddedMeanwhile(AdminError):  # noqa: N818
    """The store refused a new record: somebody was faster, or its account was removed."""

    def __init__(self, refusal: AdminError) -> None:
        """`refusal` is the one of a record that is there."""
        super().__init__(refusal.kind, refusal.error, refusal.remedy)


async def add_or_find(context: AdminContext, attempt: Callable[[], Awaitable[_Added]]) -> _Added:
    """Return the result of an addition. If somebody was faster, it is tried again.

    The second attempt finds the record as it is now, and compares it. Raises AdminError.
    """
    try:
        return await attempt()
    except AddedMeanwhile:
        await context.directory.refresh()
        return await attempt()
