"""Orders certificates by ACME, and renews them before their end.

A failed try is followed by the next after an hour, then two, and so on up to a day. So an authority
that limits failures is not met by more of them. The numbers of failures survive a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from restante.acme.acme_settings import AcmeSettings
from restante.acme.certificate_files import CertificateFilesOf, CertificateTerm
from restante.acme.challenge_answers import ChallengeAnswers
from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.network.outgoing_http import OutgoingHttp
from restante.network.resolver import Resolver
from restante.network.tls_context import verifying_client_context
from restante.phrases import cause_of
from restante.telemetry.event_bus import Log
from restante.telemetry.events import CertificateIssued, CertificateOrderFailed
from restante.telemetry.work_word import WorkWord

CLIENT_MODULE: Final = "restante.acme.acme_client"
LOOK_SECONDS: Final = 3600.0  # no longer than the first pause
ORDER_SECONDS: Final = 180.0  # for one order
REQUEST_SECONDS: Final = 30.0
FIRST_PAUSE: Final = 3600.0
LONGEST_PAUSE: Final = 86400.0
HURRIED_PAUSE: Final = 60.0  # after a reload
LONGEST_REASON: Final = 500  # characters of a cause: the authority chooses its text
LIFETIME_SHARE: Final = 3  # a certificate is renewed in the last third of its life at the earliest
_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class OrderGround:
    """The parts that an order needs."""

    settings: Callable[[], AcmeSettings]  # as of the last reload
    directory: Path  # for keys and certificates
    resolver: Resolver
    answers: ChallengeAnswers
    load: Callable[[str], Awaitable[None]]  # a module that most servers never need


def is_due(term: CertificateTerm | None, renew_days: int, now: float) -> bool:
    """Tell whether a certificate has to be ordered."""
    if term is None:
        return True
    ahead = min(renew_days * _DAY, (term.ends - term.begins) / LIFETIME_SHARE)
    return now >= term.ends - ahead


def pause_after(failures: int) -> float:
    """Return the seconds from a failed try to the next."""
    if failures == 0:
        return 0.0
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)


class AcmeRenewal:
    """The one task that orders."""

    def __init__(
        self, ground: OrderGround, log: Log, clocks: Clocks, show: Callable[[], Awaitable[None]]
    ) -> None:
        """`show` lets the listeners use the new certificates."""
        self._ground = ground
        self._log = log
        self._now = clocks.now
        self._show = show
        self._hurries = False
        self._rounds = Rounds(log, WorkWord.ORDER_CERTIFICATES, clocks.wait)

    async def run(self) -> None:
        """Look now, each hour, and after changes of the settings, until cancelled."""
        await self._rounds.run_rounds(self.look)

    def settings_changed(self, settings: AcmeSettings) -> None:
        """Look at once after a reload. The pause after a failure ends, as somebody has acted."""
        self._hurries = bool(settings.names)
        self._rounds.wake()

    async def look(self) -> float:
        """Order the certificates that are due; return the seconds to the next look."""
        settings = self._ground.settings()
        hurries, self._hurries = self._hurries, False
        waits = [LOOK_SECONDS]
        for name in settings.names:
            files = CertificateFilesOf(self._ground.directory, name)
            if not await asyncio.to_thread(_is_due, files, settings.renew_days, self._now()):
                continue
            count, at = await asyncio.to_thread(files.failures)
            pause = HURRIED_PAUSE if hurries else pause_after(count)
            wait = at + (pause if count else 0.0) - self._now()
            if 0 < wait <= LONGEST_PAUSE:  # more: the clock was wrong
                waits.append(wait)
            else:
                await self._order(files, settings, count)
        return min(waits)

    async def _order(self, files: CertificateFilesOf, settings: AcmeSettings, count: int) -> None:
        """Order one, and have it shown."""
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                term = await self._ordered(files, settings)
        except TimeoutError:
            reason = "the authority took too long"
        except Exception as error:  # noqa: BLE001  no answer of an authority may skip the pause
            reason = cause_of(error)
        else:
            ends = datetime.fromtimestamp(term.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            await self._show()
            self._log.publish(CertificateIssued(hosts=(files.name,), ends=ends))
            return
        with suppress(OSError):
            await asyncio.to_thread(files.note_failure, count + 1, self._now())
        self._log.publish(
            CertificateOrderFailed(
                hosts=(files.name,),
                reason=reason[:LONGEST_REASON],
                retry_seconds=pause_after(count + 1),
            )
        )

    async def _ordered(self, files: CertificateFilesOf, settings: AcmeSettings) -> CertificateTerm:
        ground = self._ground
        await ground.load(CLIENT_MODULE)
        from restante.acme.account_key import load_account_key  # noqa: PLC0415  loaded
        from restante.acme.acme_client import AcmeAccount, AcmeClient  # noqa: PLC0415

        await asyncio.to_thread(_make_directory, ground.directory)
        key = await asyncio.to_thread(load_account_key, ground.directory / "account.key.pem")
        http = OutgoingHttp(
            ground.resolver,
            lambda: REQUEST_SECONDS,
            partial(verifying_client_context, settings.ca_file),
            ground.load,
        )
        account = AcmeAccount(settings.directory, key, settings.contact, settings.accept_terms)
        client = AcmeClient(http, account, ground.answers, asyncio.sleep)
        request = await asyncio.to_thread(files.request)
        chain = await client.order(files.name, request)
        return await asyncio.to_thread(files.keep, chain)


def _is_due(files: CertificateFilesOf, renew_days: int, now: float) -> bool:
    return is_due(files.term(), renew_days, now)


def _make_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
