"""Run a module without a network: `python -m tests.on_loopback MODULE [ARGUMENT…]`.

The module runs in a network namespace of its own whose only interface is `lo`. The addresses for
documentation (RFC 5737, RFC 3849) are on `lo`, so that tests can use them for hosts. Root makes the
namespace directly. Any other user makes it inside a user namespace, with its own user id.
So a test that needs root is skipped as before. Where the system refuses both, the module runs
in the machine's network after a warning, or not at all with RESTANTE_REQUIRE_PEERS=1.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

CLONE_NEWUSER: Final = 0x10000000  # linux/sched.h
CLONE_NEWNET: Final = 0x40000000
SIOCGIFFLAGS: Final = 0x8913  # linux/sockios.h
SIOCSIFFLAGS: Final = 0x8914
SIOCSIFADDR: Final = 0x8916
SIOCSIFNETMASK: Final = 0x891C
IFF_UP: Final = 0x1  # linux/if.h
INTERFACE: Final = struct.Struct("16sH14x")  # struct ifreq: name and flags
ADDRESS: Final = struct.Struct("16sHxx4s16x")  # struct ifreq: name and struct sockaddr_in
ADDRESS_6: Final = struct.Struct("16sIi")  # struct in6_ifreq: address, length of its prefix, index

# Each address of a network on `lo` is an address of this machine. IPv6 has no such rule: of its
# /32, the first 256 are put there one by one, and the others stay unreachable.
DOCUMENTATION: Final = tuple(
    map(ipaddress.IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
)
DOCUMENTATION_6: Final = ipaddress.IPv6Network("2001:db8::/120")

REMEDY: Final = "run it as root, or allow user namespaces"


def running_interfaces() -> list[str]:
    """Return the names of the interfaces that are up in the network namespace of this process.

    Tunnel modules put an interface into each new namespace. It is down and has no route, so it is
    not listed here.
    """
    return [name for _, name in socket.if_nameindex() if _flags(name) & IFF_UP]


def enter_namespace() -> None:
    """Move this process to a network namespace with `lo` up. Raises OSError where that is refused.

    A child tries it first: some systems allow the namespace and then refuse to set `lo` up.
    """
    child = os.fork()
    if child == 0:
        os._exit(_error_of(_enter))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        raise OSError(code, os.strerror(code))
    _enter()


def _error_of(action: Callable[[], None]) -> int:
    """Return the errno with which an action failed, or 0."""
    try:
        action()
    except OSError as error:
        return error.errno or errno.EPERM
    return 0


def _enter() -> None:
    user, group = os.geteuid(), os.getegid()
    _unshare(CLONE_NEWNET if user == 0 else CLONE_NEWUSER | CLONE_NEWNET)
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _set_up("lo")
    _add_networks("lo", DOCUMENTATION)
    _add_addresses("lo", DOCUMENTATION_6)


def has_documentation_addresses() -> bool:
    """Say whether the addresses for documentation are addresses of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.bind((str(DOCUMENTATION[-1].network_address + 1), 0))
        except OSError:
            return False
    return True


def isolate(enter: Callable[[], None], *, required: bool) -> str:
    """Enter a namespace unless this process is in one. Return a warning where that fails.

    Raises SystemExit instead of warning if isolation is `required`.
    """
    if running_interfaces() == ["lo"] and has_documentation_addresses():
        return ""
    try:
        enter()
    except OSError as error:
        refused = f"no network namespace for the tests ({error.strerror})"
        if required:
            raise SystemExit(f"tests: {refused}: {REMEDY}") from error
        return f"tests: {refused}: packets may leave this machine; {REMEDY}"
    return ""


def main() -> None:
    """Isolate this process, and become the module that its arguments name."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m tests.on_loopback MODULE [ARGUMENT…]")
    required = os.environ.get("RESTANTE_REQUIRE_PEERS") == "1"
    if warning := isolate(enter_namespace, required=required):
        sys.stderr.write(f"{warning}\n")
        sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])


def _unshare(flags: int) -> None:
    """Call unshare(2), which Python has from 3.12 on only."""
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        code = ctypes.get_errno() or errno.EPERM
        raise OSError(code, os.strerror(code))


def _flags(interface: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, INTERFACE.pack(interface.encode(), 0))
    flags: int = INTERFACE.unpack(answer)[1]
    return flags


def _set_up(interface: str) -> None:
    request = INTERFACE.pack(interface.encode(), _flags(interface) | IFF_UP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def _add_networks(interface: str, networks: Iterable[ipaddress.IPv4Network]) -> None:
    """Give an interface further addresses, each under a label of its own, as ifconfig does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for number, network in enumerate(networks):
            label = f"{interface}:{number}".encode()
            for request, address in (
                (SIOCSIFADDR, network.network_address + 1),
                (SIOCSIFNETMASK, network.netmask),
            ):
                fcntl.ioctl(
                    any_socket, request, ADDRESS.pack(label, socket.AF_INET, address.packed)
                )


def _add_addresses(interface: str, addresses: Iterable[ipaddress.IPv6Address]) -> None:
    """Give an interface IPv6 addresses. A machine without IPv6 has none, and needs none."""
    index = socket.if_nametoindex(interface)
    try:
        any_socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    except OSError:
        return
    with any_socket:
        for address in addresses:
            fcntl.ioctl(any_socket, SIOCSIFADDR, ADDRESS_6.pack(address.packed, 128, index))


if __name__ == "__main__":
    main()
