"""How much each account used the server, by month of UTC. Pure."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from restante.tenancy.policy import DAY

KEPT_MONTHS: Final = 26


class UseMonth(NamedTuple):
    """A month of an account. An account that is added again is another one."""

    account: str
    added_at: int  # Unix time of the account's addition, cut to whole seconds
    month: int  # such as 202611


class AccountUse(NamedTuple):
    """Amounts used. A message for two accounts counts for both."""

    received: int = 0  # messages
    received_octets: int = 0
    delivered: int = 0  # messages; one for two domains counts twice
    octet_seconds: float = 0.0  # stored octets times seconds, refused mail included


class MonthlyUse(NamedTuple):
    """The use of an account in a month."""

    of: UseMonth
    use: AccountUse


def added_use(one: AccountUse, other: AccountUse) -> AccountUse:
    """Return the sum of two uses."""
    return AccountUse(
        one.received + other.received,
        one.received_octets + other.received_octets,
        one.delivered + other.delivered,
        one.octet_seconds + other.octet_seconds,
    )


def octet_days(use: AccountUse) -> float:
    """Return the stored octets times days."""
    return use.octet_seconds / DAY


def month_of(unix_time: float) -> int:
    """Return the month of a time."""
    at = datetime.fromtimestamp(unix_time, UTC)
    return at.year * 100 + at.month


def months_before(month: int, count: int) -> int:
    """Return the month that is so many months before another."""
    number = month // 100 * 12 + month % 100 - 1 - count
    return number // 12 * 100 + number % 12 + 1
