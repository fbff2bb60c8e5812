"""How each use of TLS is planned, and which peer's key is accepted."""

import asyncio
import ssl
from pathlib import Path
from typing import cast

import pytest

from restante.delivery.tls_plan import TlsPlan, TlsPlans
from restante.network.tls import TlsFailed, TlsLayer
from restante.tenancy.model import Destination, TlsUse
from tests.delivery.conftest import Authority

PIN = "ab" * 32


def planned(plans: TlsPlans, use: TlsUse, **fields: object) -> TlsPlan | None:
    return asyncio.run(plans.plan(Destination("p.internal", tls=use, **fields)))  # type: ignore[arg-type]


class Peer:
    """The end of a handshake with a peer that has this key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def peer_key_sha256(self) -> str:
        return self.key


def test_without_tls_there_is_no_plan() -> None:
    assert planned(TlsPlans(), TlsUse.OFF) is None


@pytest.mark.parametrize(
    ("use", "pins", "verified", "kept"),
    [
        (TlsUse.OPPORTUNISTIC, (), False, ()),
        (TlsUse.REQUIRED, (), False, ()),
        (TlsUse.OPPORTUNISTIC, (PIN,), False, ()),
        (TlsUse.VERIFY, (), True, ()),
        (TlsUse.VERIFY, (PIN.upper(),), False, (PIN,)),
    ],
)
def test_certificates_are_checked_only_to_verify_and_pins_replace_them(
    authority: Authority,
    use: TlsUse,
    pins: tuple[str, ...],
    verified: bool,
    kept: tuple[str, ...],
) -> None:
    plan = planned(TlsPlans(), use, key_pins=pins, ca_file=authority.ca_file)
    assert plan is not None
    assert plan.context.verify_mode is (ssl.CERT_REQUIRED if verified else ssl.CERT_NONE)
    assert plan.context.check_hostname is verified
    assert plan.peer_name == "p.internal"
    assert plan.key_pins == set(kept)


def test_destinations_that_are_not_verified_share_a_context() -> None:
    plans = TlsPlans()
    first, second = planned(plans, TlsUse.REQUIRED), planned(plans, TlsUse.OPPORTUNISTIC)
    assert first is not None
    assert second is not None
    assert first.context is second.context


def test_a_ca_file_is_read_each_time(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    plans = TlsPlans()
    with pytest.raises(FileNotFoundError):
        planned(plans, TlsUse.VERIFY, ca_file=str(file))
    file.write_text("no certificate")
    with pytest.raises(ssl.SSLError):
        planned(plans, TlsUse.VERIFY, ca_file=str(file))
    file.write_bytes(Path(authority.ca_file).read_bytes())
    assert planned(plans, TlsUse.VERIFY, ca_file=str(file)) is not None


@pytest.mark.parametrize(
    ("pins", "key", "accepted"),
    [
        ((), "cd" * 32, True),
        ((PIN,), PIN, True),
        ((PIN, "cd" * 32), "cd" * 32, True),
        ((PIN,), "cd" * 32, False),
        ((PIN,), "", False),
    ],
    ids=["no pins", "the pin", "the second pin", "another key", "no certificate"],
)
def test_only_a_pinned_key_is_accepted_where_there_are_pins(
    pins: tuple[str, ...], key: str, accepted: bool
) -> None:
    plan = TlsPlan(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "p.internal", frozenset(pins))
    layer = cast("TlsLayer", Peer(key))
    if accepted:
        plan.check_peer(layer)
    else:
        with pytest.raises(TlsFailed, match="which is not pinned"):
            plan.check_peer(layer)
