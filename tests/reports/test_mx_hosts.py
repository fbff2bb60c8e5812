"""Where reports go: by the public MX, and never back to ourselves."""

import pytest

from restante.network.resolver import MxRecord
from restante.reports.mx_hosts import NoMailHost, mail_hosts

US = "mx2.example.net"
FIRST, SECOND, OURS = (
    MxRecord(10, "mx1.a.example"),
    MxRecord(20, "mx2.a.example"),
    MxRecord(20, US),
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
        ([FIRST, OURS, MxRecord(30, "mx3.a.example")], ("mx1.a.example",)),
        ([MxRecord(0, ""), FIRST], ("mx1.a.example",)),
    ],
)
def test_the_hosts_are_those_of_the_mx_records(
    exchangers: list[MxRecord], hosts: tuple[str, ...]
) -> None:
    assert mail_hosts("a.example", exchangers, US) == hosts


@pytest.mark.parametrize(
    ("exchangers", "reason"),
    [
        ([MxRecord(0, "")], "takes no mail"),
        ([OURS], "this server itself"),
        ([MxRecord(10, US), FIRST], "this server itself"),
    ],
)
def test_some_domains_have_no_host_for_us(exchangers: list[MxRecord], reason: str) -> None:
    with pytest.raises(NoMailHost, match=reason):
        mail_hosts("a.example", exchangers, US)
