"""Where reports go: by the public MX, and never back to ourselves."""

import pytest

from restante.network.resolver import Exchanger
from restante.reports.mx_hosts import NoMailHost, mail_hosts

US = "mx2.example.net"
FIRST, SECOND, OURS = (
    Exchanger(10, "mx1.a.example"),
    Exchanger(20, "mx2.a.example"),
    Exchanger(20, US),
)


@pytest.mark.parametrize(
    ("exchangers", "hosts"),
    [
        ([], ("a.example",)),
        ([FIRST, SECOND], ("mx1.a.example", "mx2.a.example")),
        ([FIRST, FIRST], ("mx1.a.example",)),
        (
            [FIRST, OURS, SECOND],
            ("mx1.a.example",),
        ),  # a host that is no better than us would bring it back
        ([FIRST, OURS, Exchanger(30, "mx3.a.example")], ("mx1.a.example",)),
        ([Exchanger(0, ""), FIRST], ("mx1.a.example",)),
    ],
)
def test_the_hosts_are_those_of_the_mx_records(
    exchangers: list[Exchanger], hosts: tuple[str, ...]
) -> None:
    assert mail_hosts("a.example", exchangers, US) == hosts


@pytest.mark.parametrize(
    ("exchangers", "reason"),
    [
        ([Exchanger(0, "")], "takes no mail"),
        ([OURS], "this server itself"),
        ([Exchanger(10, US), FIRST], "this server itself"),
    ],
)
def test_some_domains_have_no_host_for_us(exchangers: list[Exchanger], reason: str) -> None:
    with pytest.raises(NoMailHost, match=reason):
        mail_hosts("a.example", exchangers, US)
