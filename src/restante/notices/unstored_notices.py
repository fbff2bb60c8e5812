"""Notices that the store could not take when the server ended: one attempt each, at once.

So the news that the store has failed reaches somebody. The end of the server waits only for a
moment.
"""

import asyncio
from collections.abc import Callable
from secrets import token_hex
from typing import Final

from restante.notices.notice_inbox import NoticeInbox
from restante.notices.transports import ChannelSender
from restante.store.live_directory import LiveDirectory
from restante.tenancy.notice import Notice

MOST: Final = 100  # notices


async def send_unstored(
    inbox: NoticeInbox, directory: LiveDirectory, sender: ChannelSender, now: Callable[[], float]
) -> None:
    """Send the rest of the inbox to the channels that want it. Raises nothing."""
    notices = [
        (channel, Notice(0, channel.id, token_hex(16), heard.last, heard.count - 1, now(), now()))
        for heard in inbox.take().values()
        for channel in directory.now.hearers(heard.last)
    ]
    sending = [sender.send(channel, notice) for channel, notice in notices[:MOST]]
    await asyncio.gather(*sending, return_exceptions=True)
