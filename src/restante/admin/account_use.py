"""How much accounts used the server, by month, for a look and for bills."""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.permissions import AdminAction, permit
from restante.queue.monthly_use import (
    MonthlyUse,
    UseMonth,
    month_of,
    months_before,
    octet_days,
)

DEFAULT_MONTHS: Final = 12  # of one account
_KEY: Final = re.compile(r"([^/]{1,64})/([0-9]{1,12})/([0-9]{4})-([0-9]{2})")

Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]  # such as 2026-11, of UTC


class UseSelection(BaseModel):
    """An account, or all that one may see; and the months."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Annotated[str, Field(max_length=64)] | None = None
    since: Month | None = None  # None: the month of `until`, or twelve for one account
    until: Month | None = None  # None: this month


class AccountUseView(BaseModel):
    """The use of one account in one month."""

    account: str
    account_added_at: datetime  # an account that is added again is another one
    month: str
    received: int  # messages; one for two accounts counts for both
    received_octets: int
    delivered: int  # messages; one for two domains counts twice
    octet_days: float  # stored octets times days, refused mail included

    @property
    def key(self) -> str:
        """The place of this use in the listing."""
        return f"{self.account}/{int(self.account_added_at.timestamp())}/{self.month}"


async def account_uses(
    context: AdminContext, wanted: UseSelection, after: str, limit: int
) -> list[AccountUseView]:
    """Return uses by account and month, after that of the key `after`, at most `limit`.

    The last five minutes may be missing. Operators see removed accounts too. Raises AdminError.
    """
    permit(context.principal, AdminAction.ACCOUNT_SHOW)
    name, begin = wanted.account, None
    if not context.principal.sees_everything:
        account = find_account(context, name or context.principal.account)
        name, begin = account.name, UseMonth(account.name, int(account.created_at), 0)
    places = [place for place in (begin, _place(after)) if place is not None]
    months = _months(wanted, month_of(context.now()), is_one=name is not None)
    found = await context.store.uses.uses(name, months, max(places, default=None), limit)
    return [_view(one) for one in found]


def _months(wanted: UseSelection, now: int, *, is_one: bool) -> tuple[int, int]:
    """Return the first and the last month that are wanted."""
    until = now if wanted.until is None else _number(wanted.until)
    before = until if not is_one else months_before(until, DEFAULT_MONTHS - 1)
    since = before if wanted.since is None else _number(wanted.since)
    if since > until:
        raise AdminError(ErrorKind.INVALID, "since: is later than until", "give an earlier month")
    return since, until


def _place(after: str) -> UseMonth | None:
    """Return the place that a key names. Raises AdminError."""
    if not after:
        return None
    match = _KEY.fullmatch(after)
    if match is None:
        raise AdminError(
            ErrorKind.INVALID, "after: not a place in this list", "follow the link of a page"
        )
    account, added_at, year, month = match.groups()
    return UseMonth(account, int(added_at), int(year) * 100 + int(month))


def _number(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 100 + int(number)


def _view(one: MonthlyUse) -> AccountUseView:
    return AccountUseView(
        account=one.of.account,
        account_added_at=moment(one.of.added_at),
        month=f"{one.of.month // 100}-{one.of.month % 100:02}",
        received=one.use.received,
        received_octets=one.use.received_octets,
        delivered=one.use.delivered,
        octet_days=round(octet_days(one.use), 3),
    )
