"""One attempt to deliver our own mail by the MX of its domain."""

import hashlib
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restante.network.dns_records import DnsRecordSet
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


@cache
def identity() -> tuple[ssl.SSLContext, str]:
    """Return a host's context with a certificate of its own, and the digest of its key."""
    issued = trustme.CA().issue_cert(MX, key_type=trustme.KeyType.ECDSA)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    key = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return context, hashlib.sha256(der).hexdigest()


def publish_tlsa(post: Post, digest: str) -> None:
    """Publish a TLSA record of the MX, in a signed zone."""
    names, name = post.world.names, f"_{post.host.port}._tcp.{MX}"
    names.secure = {"a.example"}
    names.other[MX, "A"] = DnsRecordSet(("127.0.0.1",), is_secure=True)
    names.other[name, "TLSA"] = DnsRecordSet((f"3 1 1 {digest}",), is_secure=True)


def publish_policy(post: Post, mode: str = "enforce", mx: str = MX) -> None:
    post.world.names.other["_mta-sts.a.example", "TXT"] = DnsRecordSet(("v=STSv1; id=1;",))
    post.world.names.policies["https://mta-sts.a.example/.well-known/mta-sts.txt"] = (
        f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"
    )


def send_one(prepare: Callable[[Post], None], host: ScriptedPrimary, **settings: Any) -> Post:
    """Send one report, once the records are prepared."""

    async def act(post: Post) -> None:
        prepare(post)
        await post.store(SENDER)
        await post.go_on_until(lambda: post.count(ReportSent, ReportDeferred) == 1)

    return play(act, host, **settings)


def tls_host() -> ScriptedPrimary:
    return ScriptedPrimary(offer=("STARTTLS",), context=identity()[0])


def test_a_certificate_that_agrees_with_its_tlsa_record_gets_the_report() -> None:
    post = send_one(lambda post: publish_tlsa(post, identity()[1]), tls_host())
    assert (post.count(ReportSent), post.host.connections) == (1, 1)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (("STARTTLS",), "DANE: no TLSA record names the certificate that the host shows"),
        ((), "DANE demands TLS"),
    ],
)
def test_a_report_waits_where_dane_is_not_met_and_never_goes_in_clear(
    offer: tuple[str, ...], reason: str
) -> None:
    host = ScriptedPrimary(offer=offer, context=identity()[0])
    post = send_one(lambda post: publish_tlsa(post, "ab" * 32), host)
    assert "MAIL" not in "".join(post.host.commands)
    [line] = post.lines(ReportDeferred)
    assert reason in line["reply"]


def test_the_next_host_is_tried_where_dane_is_not_met() -> None:
    def prepare(post: Post) -> None:
        publish_tlsa(post, "ab" * 32)
        post.world.names.mx["a.example"] = [MxRecord(5, MX), MxRecord(10, "mx2.a.example")]
        post.world.names.table["mx2.a.example"] = ["127.0.0.1"]

    assert send_one(prepare, tls_host()).count(ReportSent) == 1


def test_an_enforced_policy_demands_a_certificate_of_a_known_authority() -> None:
    post = send_one(publish_policy, tls_host())
    assert "MAIL" not in "".join(post.host.commands)
    [line] = post.lines(ReportDeferred)
    assert "certificate" in line["reply"]
    assert line["reply"].endswith("(MTA-STS demands TLS)")


def test_an_enforced_policy_names_the_hosts() -> None:
    post = send_one(lambda post: publish_policy(post, mx="mx9.a.example"), tls_host())
    assert not post.host.connections
    [line] = post.lines(ReportDeferred)
    assert line["reply"] == f"{MX} is not in the MTA-STS policy of a.example"


@pytest.mark.parametrize("mode", ["testing", "none"])
def test_a_policy_that_is_not_enforced_changes_nothing(mode: str) -> None:
    assert send_one(lambda post: publish_policy(post, mode), tls_host()).count(ReportSent) == 1


def test_the_operator_can_do_without_both() -> None:
    def prepare(post: Post) -> None:
        publish_tlsa(post, "ab" * 32)
        publish_policy(post, mx="mx9.a.example")

    post = send_one(prepare, tls_host(), dane=False, mta_sts=False)
    assert post.count(ReportSent) == 1
