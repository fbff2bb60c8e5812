"""Event notices and deliveries that follow new mail or a full quota.

The intake and the dialogues call this module.

    mail for a domain that had none for an hour    event `mail-after-quiet`: a server may be down
    a quota filled to 80 or 100 %                  event `quota-reached`, once until it is below 80
    mail that leaves without a request             the watcher is told (delivery/watcher.py)

The events already written are remembered in memory only. After a restart, the next mail for a full
quota writes its event again. Twice is better than never: the restart may have come before the
notice. A domain that holds mail counts as not quiet.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from restante.mail.message import NewMessage
from restante.store.figure_store import DomainUsage, FigureStore
from restante.store.live_directory import LiveDirectory
from restante.telemetry.event_bus import Log
from restante.telemetry.events import MailAfterQuiet, QuotaReached
from restante.tenancy.model import HostedDomain
from restante.tenancy.quota import FULL_PERCENT, Quota

QUIET_SECONDS: Final = 3600.0

_QuotaOwner = tuple[str, str]  # "domain" or "account", and its name


class AfterHolding:
    """Gets each batch that was held."""

    def __init__(
        self,
        figures: FigureStore,
        directory: LiveDirectory,
        log: Log,
        monotonic: Callable[[], float],
        on_mail: Callable[[HostedDomain], None] = lambda _domain: None,
    ) -> None:
        """`on_mail` is called for each domain with new held mail; `monotonic` is in seconds."""
        self._figures = figures
        self._directory = directory
        self._log = log
        self._monotonic = monotonic
        self._on_mail = on_mail
        self._last: dict[int, float] = {}  # by domain id: when mail last came
        self._told: dict[_QuotaOwner, int] = {}

    def held(self, messages: Sequence[NewMessage]) -> None:
        """Take note of a batch that is durable now."""
        counts: dict[int, int] = {}
        for message in messages:
            counts[message.domain_id] = counts.get(message.domain_id, 0) + 1
        for domain_id, count in counts.items():
            domain = self._directory.now.domain_by_id(domain_id)
            if domain is not None:
                self._came(domain, count)

    def refused_for_quota(self, domain: HostedDomain) -> None:
        """Record that a message found no room. The quota is full, even if a smaller one fits."""
        for key, quota, usage in self._quotas(domain):
            if quota.step(usage.octets, usage.messages):
                self._tell(key, domain.account, FULL_PERCENT, usage)

    def _came(self, domain: HostedDomain, count: int) -> None:
        now, last = self._monotonic(), self._last.get(domain.id)
        self._last[domain.id] = now
        was_empty = self._figures.usage(domain.id).messages <= count
        if now - last > QUIET_SECONDS if last is not None else was_empty:
            self._log.publish(
                MailAfterQuiet(domain=domain.name, account=domain.account, messages=count)
            )
        for key, quota, usage in self._quotas(domain):
            self._look_at_quota(key, domain.account, quota, usage)
        self._on_mail(domain)

    def _quotas(self, domain: HostedDomain) -> Iterator[tuple[_QuotaOwner, Quota, DomainUsage]]:
        yield ("domain", domain.name), domain.policy.quota, self._figures.usage(domain.id)
        account = self._directory.now.accounts.get(domain.account)
        if account is not None:
            yield (
                ("account", account.name),
                account.quota,
                self._figures.usage_of_account(account.name),
            )

    def _look_at_quota(
        self, key: _QuotaOwner, account: str, quota: Quota, usage: DomainUsage
    ) -> None:
        step = quota.step(usage.octets, usage.messages)
        if step:
            self._tell(key, account, step, usage)
        else:
            self._told.pop(key, None)

    def _tell(self, key: _QuotaOwner, account: str, step: int, usage: DomainUsage) -> None:
        if step <= self._told.get(key, 0):
            return
        self._told[key] = step
        kind, name = key
        self._log.publish(
            QuotaReached(
                domain=name if kind == "domain" else None,
                account=account,
                percent=step,
                messages=usage.messages,
                octets=usage.octets,
            )
        )
