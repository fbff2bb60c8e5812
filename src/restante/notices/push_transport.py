"""Sends a notice by any service of Apprise: chat, push, SMS. Optional.

Install it with `pip install 'restante[apprise]'`. Apprise blocks for as long as a service answers
slowly, and nothing in its process can interrupt it. So each push has its own process
(apprise_process.py), which is ended at its time limit or with the server. Apprise answers only
whether it worked. Its URLs are secret as a whole: they go in by standard input, and only the scheme
is shown.
"""

import asyncio
import json
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from math import ceil
from typing import Any, Final

from restante.notices import apprise_process
from restante.notices.account_push import check_account_push
from restante.notices.apprise_process import PushAnswer
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.targets import MAX_URL, NotAChannelTarget
from restante.notices.wording import as_text, title
from restante.tenancy.notice import Notice

AT_ONCE: Final = 4  # processes; further pushes wait for their turn
_CHECK_SECONDS: Final = 30.0
_A_DAY: Final = 86400.0
_COMMAND: Final = (sys.executable, "-P", "-m", apprise_process.__name__)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://.")
_NOT_THERE: Final = "Apprise is not installed"
# By this Python: where it is Debian's own, the `pip` of the system refuses to install.
_INSTALL: Final = f"{sys.executable} -m pip install apprise"
_ENDS: Final[Mapping[int, NoticeAttempt]] = {
    PushAnswer.YES: NoticeAttempt(NoticeResult.SENT, "taken"),
    PushAnswer.NOT_TAKEN: NoticeAttempt(NoticeResult.NOT_NOW, "the service did not take it"),
    PushAnswer.UNKNOWN_URL: NoticeAttempt(
        NoticeResult.NOT_NOW, "this version of Apprise does not know its URL"
    ),
}


async def read_push_url(text: str, *, is_of_account: bool = False) -> tuple[str, str]:
    """Return a URL that Apprise understands, and a form without secrets that may be shown.

    That of an account is limited. Raises NotAChannelTarget.
    """
    if find_spec("apprise") is None:
        raise NotAChannelTarget(_NOT_THERE, _INSTALL)
    url = text.strip()
    scheme = _SCHEME.match(url) if len(url) <= MAX_URL and url.isprintable() else None
    if scheme is not None and is_of_account:
        check_account_push(url)
    if scheme is None or await _is_unknown(url, is_of_account=is_of_account):
        raise NotAChannelTarget(
            "not a URL that Apprise knows", "see https://appriseit.com for those there are"
        )
    return url, f"{scheme[1].lower()}://…"


async def _is_unknown(url: str, *, is_of_account: bool) -> bool:
    job = {"url": url, "is_of_account": is_of_account}
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            code = await _run(job, _CHECK_SECONDS)
    except TimeoutError:
        raise NotAChannelTarget("Apprise did not answer in time", "try again") from None
    except OSError as error:
        raise NotAChannelTarget(
            f"Apprise cannot be started: {error.strerror}", "try again"
        ) from None
    if code not in (PushAnswer.YES, PushAnswer.UNKNOWN_URL):
        raise NotAChannelTarget(f"Apprise failed: exit code {code}", "try again")
    return code == PushAnswer.UNKNOWN_URL


class PushTransport:
    """Passes notices to Apprise."""

    def __init__(self, hostname: str, timeout: Callable[[], float]) -> None:
        """`timeout` returns how many seconds a push may take, with the start of its process."""
        self._hostname = hostname
        self._timeout = timeout
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def send(
        self, url: str, notice: Notice, *, is_public_only: bool = False, is_of_account: bool = False
    ) -> NoticeAttempt:
        """Push a notice, and keep an account's within its limits. Raises only for defects."""
        if find_spec("apprise") is None:
            return NoticeAttempt(NoticeResult.NOT_NOW, f"{_NOT_THERE}: {_INSTALL}")
        if is_of_account:
            try:
                check_account_push(url)
            except NotAChannelTarget as error:
                return NoticeAttempt(NoticeResult.NOT_NOW, f"{error}; {error.remedy}")
        job: dict[str, Any] = {
            "url": url,
            "title": title(notice),
            "body": as_text(notice, self._hostname),
        }
        job |= {"is_public_only": is_public_only, "is_of_account": is_of_account}
        async with self._turns:
            seconds = self._timeout()
            try:
                async with asyncio.timeout(seconds):
                    code = await _run(job, seconds)
            except TimeoutError:
                return NoticeAttempt(NoticeResult.NOT_NOW, "no answer in time")
            except OSError as error:
                return NoticeAttempt(
                    NoticeResult.NOT_NOW, f"Apprise cannot be started: {error.strerror}"
                )
        return _ENDS.get(
            code, NoticeAttempt(NoticeResult.NOT_NOW, f"Apprise failed: exit code {code}")
        )


async def _run(job: Mapping[str, Any], seconds: float) -> int:
    """Execute a request in a process and return its exit code. The process has ended then."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        bounded = {**job, "seconds": ceil(min(seconds, _A_DAY)) + 1}
        await process.communicate(json.dumps(bounded).encode())
        return await process.wait()
    finally:
        with suppress(ProcessLookupError):  # it has ended
            process.kill()
        await process.wait()
