"""The process in which Apprise runs: one for each push, started and ended by `push_transport.py`.

Standard input has one JSON object: `url` and `seconds`, and to send a notice, `title` and `body`.
The exit code is the answer. Nothing is written, because Apprise's log may have parts of the URL in
it, and words of strangers.

Limitation: if the parent is killed, this process continues until `seconds` are over.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from enum import IntEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from apprise import NotifyBase

MOST_MEMORY: Final = (
    256 * 1024 * 1024
)  # octets: Apprise reads answers to their end, however long they are
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
