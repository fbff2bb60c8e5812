import asyncio

from tests.admin.desk import Desk
from tests.cli.conftest import Command


def test_a_listing_of_all_domains_says_which_are_suspended(desk: Desk, command: Command) -> None:
    assert "suspended" not in command("queue", "list").out
    number = asyncio.run(desk.host("beta.example", "beta"))
    asyncio.run(desk.hold(35, number, "x@beta.example"))
    command("domain", "set", "beta.example", "--hold", "suspended", "--reason", "unpaid")
    assert "beta.example is suspended: unpaid\n" in command("queue", "list").out
    assert "suspended" not in command("queue", "list", "alpha.example").out


def test_only_one_domain_can_be_listed(desk: Desk, command: Command) -> None:
    assert desk.server
    shown = command("queue", "list", "alpha.example", "--domain", "beta.example")
    assert (shown.code, shown.out) == (64, "")
    assert "only one domain can be selected; name one, or none for all" in shown.err
