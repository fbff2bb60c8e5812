"""A request to add a record that is there already: fine with the same values, else an error.

Only the given fields count, so a later change of another field does no harm. Programs that bring a
server to a state can repeat a request until it has succeeded.
"""

from collections.abc import Sequence
from typing import Final

from restante.admin.admin_error import AdminError, ErrorKind
from restante.phrases import EXISTS
from restante.tenancy.record_change import Change, difference_text

MOST_NAMED: Final = 5  # differing fields


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
