"""One attempt to deliver our own mail by the MX of its domain."""

import pytest

from restante.network.resolver import LookupFailed, MxRecord
from restante.telemetry.events import (
    ReportDeferred,
    ReportDropped,
    ReportSent,
)
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.reports.post import MX, SENDER, Post, play


@pytest.mark.parametrize("reply", ["250 2.0.0 queued", "450 4.2.1 later"])
def test_hosts_are_tried_in_the_order_of_preference_until_one_lets_us_begin(reply: str) -> None:
    async def act(post: Post) -> None:
        hosts = ("gone.a.example", "off.a.example", MX, "spare.a.example")
        post.world.names.mx["a.example"] = [
            MxRecord(place, host) for place, host in enumerate(hosts)
        ]
        post.world.names.table["off.a.example"] = ["127.0.0.9"]  # nobody listens there
        await post.store(SENDER)
        await post.go_on_until(lambda: post.count(ReportSent, ReportDeferred) == 1)

    post = play(act, ScriptedPrimary(script={"CONTENT": reply}))
    assert post.world.names.asked == ["gone.a.example", "off.a.example", MX]


def test_where_the_handshake_fails_a_report_goes_in_clear() -> None:
    async def act(post: Post) -> None:
        await post.store(SENDER)
        await post.go_on_until(lambda: post.count(ReportSent, ReportDeferred) == 1)

    post = play(act, ScriptedPrimary(offer=("STARTTLS",)))
    assert post.host.commands.count("STARTTLS") == 1
    assert (len(post.host.taken), post.host.connections) == (1, 2)


def test_a_domain_without_mx_is_its_own_host() -> None:
    async def act(post: Post) -> None:
        post.world.names.mx, post.world.names.table = {}, {"a.example": ["127.0.0.1"]}
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))

    assert len(play(act).host.taken) == 1


@pytest.mark.parametrize(
    "records",
    [
        [MxRecord(0, "")],
        [MxRecord(10, "mx2.example.net")],
        LookupFailed("a.example: no such name in DNS", is_temporary=False),
    ],
)
def test_a_notice_without_a_channel_is_dropped_at_once(
    records: list[MxRecord] | LookupFailed,
) -> None:
    async def act(post: Post) -> None:
        post.world.names.mx["a.example"] = records
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDropped)))
        assert await post.world.reports() == []

    post = play(act)
    assert not post.host.connections
    assert not post.lines(ReportDeferred)


def test_a_host_that_turns_out_to_be_ourselves_gets_nothing() -> None:
    async def act(post: Post) -> None:
        post.world.own_addresses.append(("127.0.0.1", post.host.port))
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDeferred)))

    post = play(act)
    assert not post.host.connections
    assert "this server itself" in post.lines(ReportDeferred)[0]["reply"]


@pytest.mark.parametrize(
    "private", [("127.0.0.1",), ("169.254.169.254", "::1", "::ffff:127.0.0.1", "10.0.0.1")]
)
def test_a_strangers_mx_record_leads_to_no_private_address(private: tuple[str, ...]) -> None:
    async def act(post: Post) -> None:
        post.world.names.table[MX] = list(private)
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDeferred)))

    post = play(act, private_addresses=False)
    assert not post.host.connections
    [line] = post.lines(ReportDeferred)
    assert line["reply"] == f"{MX} has no public address"


def test_an_mx_that_is_asked_again_is_judged_again() -> None:
    """The second answer of a name leads to loopback; the first had no host that answers."""

    async def act(post: Post) -> None:
        post.world.names.table[MX] = ["::ffff:127.0.0.2"]

        async def rebind() -> None:
            post.world.names.table[MX] = ["127.0.0.1"]

        post.world.on_pause = rebind
        await post.store(SENDER)
        await post.go_on_until(lambda: post.count(ReportDeferred) == 3)

    assert not play(act, private_addresses=False).host.connections
