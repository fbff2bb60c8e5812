"""No test sends a packet beyond `lo`: the whole suite runs in a network namespace of its own."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.peers.programs import missing
from tests.on_loopback import has_documentation_addresses, isolate, running_interfaces

TOP: Final = Path(__file__).parents[1]
ELSEWHERE: Final = [
    (socket.AF_INET, "169.254.169.254"),  # where clouds keep what a stranger wants to read
    (socket.AF_INET, "8.8.8.8"),
    (socket.AF_INET, "192.0.3.1"),  # the neighbor of a network for documentation
    (socket.AF_INET6, "2001:4860:4860::8888"),
    (socket.AF_INET6, "2001:db8:1::25"),  # for documentation, and not on lo
]
FOR_DOCUMENTATION: Final = [
    (socket.AF_INET, "192.0.2.25"),  # RFC 5737
    (socket.AF_INET, "198.51.100.254"),
    (socket.AF_INET, "203.0.113.1"),
    (socket.AF_INET6, "2001:db8::25"),  # RFC 3849
]
NEIGHBORS: Final = {socket.AF_INET: "192.0.2.99", socket.AF_INET6: "2001:db8::99"}
UNREACHABLE: Final = {errno.ENETUNREACH, errno.EADDRNOTAVAIL}
REFUSAL: Final = PermissionError(errno.EPERM, "Operation not permitted")


def test_lo_is_the_only_interface() -> None:
    others = sorted({*running_interfaces()} - {"lo"})
    if others:
        missing(
            f"packets of this run can leave by {', '.join(others)}: run the tests by `make test`"
        )
    assert running_interfaces() == ["lo"]


@pytest.mark.parametrize(("family", "address"), ELSEWHERE)
def test_no_packet_leaves_lo(family: socket.AddressFamily, address: str) -> None:
    """A connected datagram socket has been routed, and has sent nothing."""
    if running_interfaces() != ["lo"]:
        missing("other interfaces than lo are up: run the tests by `make test`")
    with (
        socket.socket(family, socket.SOCK_DGRAM) as probe,
        pytest.raises(OSError, match=r"\[Errno") as refusal,
    ):
        probe.connect((address, 25))
    assert refusal.value.errno in UNREACHABLE


@pytest.mark.parametrize(("family", "address"), FOR_DOCUMENTATION)
def test_an_address_for_documentation_is_a_host_of_its_own(
    family: socket.AddressFamily, address: str
) -> None:
    """A listener at one is met there, and at no other."""
    if not has_documentation_addresses():
        missing("the addresses for documentation are not on lo: run the tests by `make test`")
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection((address, port), timeout=5.0) as met:
            assert met.getpeername()[:2] == (address, port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((NEIGHBORS[family], port), timeout=5.0)


def test_a_module_runs_with_lo_alone_and_as_the_same_user() -> None:
    """Also where the caller has made a namespace: this test runs in one."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.on_loopback", "tests.on_loopback_seen", "an argument"],
        check=False,
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=60,
    )
    if ended.stderr:
        missing(ended.stderr.strip())
    assert ended.stdout.splitlines() == ["lo", str(os.geteuid()), "an argument"]


@pytest.fixture
def with_ethernet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.on_loopback.running_interfaces", lambda: ["lo", "eth0"])


def refuse() -> None:
    raise REFUSAL


def test_a_refused_namespace_is_said_plainly(with_ethernet: None) -> None:
    assert isolate(refuse, required=False) == (
        "tests: no network namespace for the tests (Operation not permitted): packets may leave"
        " this machine; run it as root, or allow user namespaces"
    )


def test_a_refused_namespace_ends_a_run_that_requires_peers(with_ethernet: None) -> None:
    with pytest.raises(SystemExit, match=r"no network namespace .*: run it as root"):
        isolate(refuse, required=True)


@pytest.mark.parametrize(
    ("interfaces", "has_addresses", "entered"),
    [(["lo"], True, 0), (["lo"], False, 1), (["lo", "eth0"], True, 1), ([], True, 1)],
)
def test_a_namespace_is_made_only_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, interfaces: list[str], has_addresses: bool, entered: int
) -> None:
    monkeypatch.setattr("tests.on_loopback.running_interfaces", lambda: interfaces)
    monkeypatch.setattr("tests.on_loopback.has_documentation_addresses", lambda: has_addresses)
    calls: list[str] = []
    enter: Callable[[], None] = lambda: calls.append("enter")  # noqa: E731
    assert isolate(enter, required=True) == ""
    assert len(calls) == entered
