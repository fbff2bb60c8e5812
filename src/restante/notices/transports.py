"""All transports of notices behind one method: opens the secret and chooses the transport."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from restante.notices.mail_transport import MailSender
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.push_transport import PushTransport
from restante.notices.webhook_transport import WebhookTransport
from restante.phrases import WRONG_KEY_FILE
from restante.reports.report_settings import ReportSettings
from restante.tenancy.notice import Channel, ChannelTransport, Notice
from restante.tenancy.sealed_secrets import SealBroken, Vault, channel_owner


@dataclass(frozen=True, slots=True, repr=False)
class ChannelSecret:
    """The secrets of a channel."""

    url: str
    key: str = ""  # signs a webhook

    def sealed(self, vault: Vault, account: str, name: str, present: bytes | None = None) -> bytes:
        """Return it sealed, to be stored; `present` if that is the same secret."""
        text = json.dumps({"url": self.url, "key": self.key})
        return vault.sealed_again(present, text, channel_owner(account, name))


def open_secret(vault: Vault, channel: Channel) -> ChannelSecret:
    """Return a channel's secret. Raises SealBroken."""
    facts: Mapping[str, str] = json.loads(
        vault.open(channel.sealed or b"", channel_owner(channel.account, channel.name))
    )
    return ChannelSecret(facts["url"], facts["key"])


class ChannelSender(Protocol):
    """Sends notices."""

    async def send(self, channel: Channel, notice: Notice) -> NoticeAttempt:
        """Send a notice now and return the result. Raises only for defects."""


class Transports:
    """All transports."""

    def __init__(
        self,
        vault: Vault,
        webhooks: WebhookTransport,
        mail_sender: MailSender,
        pushes: PushTransport,
        reports: Callable[[], ReportSettings],
    ) -> None:
        """`reports` returns whether an account's channels may use private addresses."""
        self._vault = vault
        self._webhooks = webhooks
        self._mail_sender = mail_sender
        self._pushes = pushes
        self._reports = reports

    async def send(self, channel: Channel, notice: Notice) -> NoticeAttempt:
        """Send a notice by the channel's transport."""
        if channel.transport not in frozenset(ChannelTransport):
            return NoticeAttempt(
                NoticeResult.NOT_NOW,
                f"this version of Restante knows no transport {channel.transport}",
            )
        if channel.transport == ChannelTransport.MAIL:
            return await self._mail_sender.send(
                channel.target, notice, is_operators=not channel.account
            )
        try:
            secret = open_secret(self._vault, channel)
        except SealBroken:
            return NoticeAttempt(NoticeResult.NOT_NOW, f"its secret {WRONG_KEY_FILE}")
        is_public_only = bool(channel.account) and not self._reports().private_addresses
        if channel.transport == ChannelTransport.APPRISE:
            return await self._pushes.send(
                secret.url,
                notice,
                is_public_only=is_public_only,
                is_of_account=bool(channel.account),
            )
        return await self._webhooks.send(
            secret.url, secret.key, notice, is_public_only=is_public_only
        )
