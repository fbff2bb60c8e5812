"""The process in which Apprise runs: one for each push, started and ended by `push_transport.py`.

Standard input has one JSON object: `url` and `seconds`, and to send a notice, `title` and `body`.
The exit code is the answer. Nothing is written, because Apprise's log may have parts of the URL in
it, and words of strangers.

An account's URL is a stranger's. `account_push` lets few services and arguments pass. If one of
them opens a file nevertheless, starts a program, or sends without verified TLS, it gets an error.

Limitation: if the parent is killed, this process continues until `seconds` are over.
"""

import ctypes
import json
import os
import resource
import signal
import ssl
import sys
import sysconfig
import zoneinfo
from contextlib import suppress
from enum import IntEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from apprise import NotifyBase

MOST_MEMORY: Final = (
    256 * 1024 * 1024
)  # octets: Apprise reads answers to their end, however long they are
_PROGRAMS: Final = ("subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system")
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DIALS: Final = ("socket.connect", "socket.sendto", "socket.sendmsg")
_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


class PushAnswer(IntEnum):
    """The result as an exit code; any other code is a failure of the process itself."""

    YES = 0  # the service took it, or the URL is one that Apprise knows
    NOT_TAKEN = 10
    UNKNOWN_URL = 11


def main() -> int:
    """Read a request from standard input and execute it; return an exit code."""
    job = json.load(sys.stdin.buffer)
    _confine(job["seconds"])
    if job.get("is_public_only"):
        _stay_public()
    if job.get("is_of_account"):
        _import_all()
        _touch_nothing()
    service = _service(job["url"])
    if service is None:
        return PushAnswer.UNKNOWN_URL
    return PushAnswer.YES if "body" not in job or _is_taken(service, job) else PushAnswer.NOT_TAKEN


def _confine(seconds: int) -> None:
    """Limit time and memory of this process and hide it from others: it knows the URL."""
    signal.alarm(seconds)
    with suppress(ValueError, OSError):  # the parent has set a lower one, or forbids changes
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _stay_public() -> None:
    """Allow this process to connect to public addresses only, after any name or redirect.

    The C library asks the name servers itself, so those are not checked.
    """
    from restante.network.public_address import is_public  # noqa: PLC0415  only where it is needed

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _DIALS and arguments[1] is not None:
            address = arguments[1]
            if not isinstance(address, tuple) or not is_public(ip_address(address[0])):
                raise PermissionError("not a public address")

    for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
        del os.environ[name]  # a proxy's connections could not be checked
    sys.addaudithook(look)


def _import_all() -> None:
    """Import all services and what they send with: that reads files."""
    from apprise import Apprise, locale  # noqa: F401, PLC0415

    Apprise.instantiate("jsons://localhost/", suppress_exceptions=True)


def _touch_nothing() -> None:
    """Refuse this process other files than those of Python, other programs, and sending in clear.

    The C library's and OpenSSL's own files are not seen here: name servers, authorities.
    """
    from urllib3.connection import HTTPSConnection  # noqa: PLC0415  it comes with Apprise

    places = [*sys.path, sysconfig.get_path("stdlib"), *zoneinfo.TZPATH]
    roots = tuple(f"{os.path.realpath(one)}/" for one in places if Path(one).is_dir())

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROGRAMS:
            raise PermissionError("no program is started for an account")
        if event == "open" and not _is_read_below(roots, *arguments):
            raise PermissionError("no file is opened for an account")
        if event == "http.client.connect":
            connection = arguments[0]
            is_verified = isinstance(connection, HTTPSConnection) and connection.cert_reqs not in (
                "CERT_NONE",
                ssl.CERT_NONE,
            )
            if not is_verified:
                raise PermissionError("nothing is sent for an account without verified TLS")

    sys.addaudithook(look)


def _is_read_below(roots: tuple[str, ...], path: object, mode: str | None, flags: int) -> bool:
    """Return whether a file is opened to be read, in one of the directories.

    A number is a file that is open.
    """
    if isinstance(path, int):
        return True
    if not isinstance(path, str | bytes) or flags & _WRITES or set(mode or "r") & set("wax+"):
        return False
    return os.path.realpath(os.fsdecode(path)).startswith(roots)


def _service(url: str) -> "NotifyBase | None":
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  optional, and heavy

    asset = AppriseAsset(app_id="Restante", secure_logging=True)
    return Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


def _is_taken(service: "NotifyBase", job: dict[str, Any]) -> bool:
    """Send it as text; Apprise makes HTML or Markdown from it and quotes strangers' words."""
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415

    apprise = Apprise()
    apprise.add(service)
    return bool(apprise.notify(title=job["title"], body=job["body"], body_format=NotifyFormat.TEXT))


if __name__ == "__main__":
    os._exit(main())  # at once: do not wait for threads that a service has left
