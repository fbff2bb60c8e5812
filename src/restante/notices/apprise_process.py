"""The process in which Apprise runs: one for each push. `push.py` starts it, hands it its errand and ends it.

Standard input has one JSON object: `url` and `seconds`, and where something is to be sent `title` and `body`. The exit
code is the answer; nothing is written, for what Apprise logs may have parts of the URL in it, and words of strangers.

Weak: if whoever started it was killed, it goes on until `seconds` are over.
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
)  # octets: Apprise reads answers to their end, however far that is
_DIALS: Final = ("socket.connect", "socket.sendto", "socket.sendmsg")
_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


class Answer(IntEnum):
    """What came of it, as an exit code; any other is a failure of the process itself."""

    YES = 0  # the service took it, or the URL is one that Apprise knows
    NOT_TAKEN = 10
    UNKNOWN_URL = 11


def main() -> int:
    """Do the errand that standard input has; returns an exit code."""
    errand = json.load(sys.stdin.buffer)
    _confine(errand["seconds"])
    if errand.get("is_public_only"):
        _stay_public()
    service = _service(errand["url"])
    if service is None:
        return Answer.UNKNOWN_URL
    return Answer.YES if "body" not in errand or _is_taken(service, errand) else Answer.NOT_TAKEN


def _confine(seconds: int) -> None:
    """Bound the time and the memory of this process, and let no other look into it: it knows the URL."""
    signal.alarm(seconds)
    with suppress(ValueError, OSError):  # whoever runs us has set a lower one, or lets us set none
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _stay_public() -> None:
    """Let no socket of this process be connected to an address that is not public, wherever its name or a redirect led.

    Name servers are asked by the C library, which this does not see.
    """
    from restante.network.public import is_public  # noqa: PLC0415  only where it is needed

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _DIALS and arguments[1] is not None:
            address = arguments[1]
            if not isinstance(address, tuple) or not is_public(ip_address(address[0])):
                raise PermissionError("not a public address")

    for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
        del os.environ[name]  # whatever a proxy connects to could not be looked at
    sys.addaudithook(look)


def _service(url: str) -> "NotifyBase | None":
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  optional, and heavy

    asset = AppriseAsset(app_id="Restante", secure_logging=True)
    return Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


def _is_taken(service: "NotifyBase", errand: dict[str, Any]) -> bool:
    """Send it as text: what the service wants as HTML or Markdown is made of that, and strangers' words are quoted."""
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415

    apprise = Apprise()
    apprise.add(service)
    return bool(
        apprise.notify(title=errand["title"], body=errand["body"], body_format=NotifyFormat.TEXT)
    )


if __name__ == "__main__":
    os._exit(main())  # at once: no thread that a service has left is waited for
