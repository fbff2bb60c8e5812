"""Sends a notice by whatever Apprise knows: chat, push, SMS. An optional part: `pip install 'restante[apprise]'`.

Apprise blocks, so it runs on threads of its own, and is loaded there when it is first wanted. What it answers is that it
worked or not. Its URLs are secrets from end to end: of one, the scheme is shown.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from restante.notices.attempt import Attempt, End
from restante.notices.targets import MAX_URL, NotATarget
from restante.notices.wording import as_text, title
from restante.tenancy.notice import Notice

if TYPE_CHECKING:
    from apprise import NotifyBase

THREADS: Final = 4
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://.")
_NOT_THERE: Final = "Apprise is not installed"
_INSTALL: Final = "pip install 'restante[apprise]'"


async def read_push_url(text: str) -> tuple[str, str]:
    """Return a URL that Apprise understands, and what of it may be shown. Raises NotATarget."""
    if find_spec("apprise") is None:
        raise NotATarget(_NOT_THERE, _INSTALL)
    url = text.strip()
    scheme = _SCHEME.match(url) if len(url) <= MAX_URL and url.isprintable() else None
    if scheme is None or await asyncio.to_thread(_service, url) is None:
        raise NotATarget("not a URL that Apprise knows", "see https://appriseit.com for those there are")
    return url, f"{scheme[1].lower()}://…"


def _service(url: str) -> "NotifyBase | None":
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  optional, and heavy

    asset = AppriseAsset(app_id="Restante", secure_logging=True)
    return Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


class Pushes:
    """Hands notices to Apprise."""

    def __init__(self, hostname: str, timeout: Callable[[], float]) -> None:
        """`timeout` says for how many seconds an answer is awaited; the thread may take longer."""
        self._hostname = hostname
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    async def send(self, url: str, notice: Notice) -> Attempt:
        """Push a notice. Returns what came of it; raises only what is a defect."""
        if find_spec("apprise") is None:
            return Attempt(End.NOT_NOW, f"{_NOT_THERE}: {_INSTALL}")
        pushing = asyncio.get_running_loop().run_in_executor(self._threads, self._push, url, notice)
        try:
            async with asyncio.timeout(self._timeout()):
                return await pushing
        except TimeoutError:
            return Attempt(End.NOT_NOW, "no answer in time")

    def _push(self, url: str, notice: Notice) -> Attempt:
        service = _service(url)
        if service is None:
            return Attempt(End.NOT_NOW, "this version of Apprise does not know its URL")
        if service.notify(title=title(notice), body=as_text(notice, self._hostname)):
            return Attempt(End.SENT, "taken")
        return Attempt(End.NOT_NOW, "the service did not take it")
