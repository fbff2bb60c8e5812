"""A look at a destination: connect, read its greeting, send QUIT. No EHLO, no TLS, no mail.

It is what every domain's destination gets each minute, so it costs the destination and us little. A
drain that is about to begin looks closer (destination_probe.py).
"""

import asyncio
from contextlib import suppress
from typing import Final

from restante.delivery.dialer import Dialer
from restante.delivery.route import Endpoint, NoRoute
from restante.delivery.wire_reader import WireReader
from restante.phrases import cause_of
from restante.smtp.client_transaction import GREETING
from restante.smtp.peer_replies import ReplyReader, ServerReply
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from restante.tenancy.model import Destination

# Seconds.
_CONNECT_TIMEOUT: Final = 10.0
_GREETING_TIMEOUT: Final = 30.0
_GOODBYE_TIMEOUT: Final = 5.0


async def greeting_probe(destination: Destination, dialer: Dialer) -> str:
    """Return "" if one of the addresses greets with 220, otherwise the reason."""
    try:
        endpoints = await dialer.endpoints(destination)
    except NoRoute as error:
        dialer.forget(destination.host)
        return str(error)
    reason = ""
    for endpoint in endpoints:
        reason = await _reason_against(destination, endpoint, dialer)
        if not reason:
            return ""
    dialer.forget(destination.host)  # it may have moved
    return reason


async def _reason_against(destination: Destination, endpoint: Endpoint, dialer: Dialer) -> str:
    reader = WireReader()
    try:
        await reader.open(dialer.dial(destination, endpoint, _CONNECT_TIMEOUT))
    except (OSError, PeerBroke) as error:
        return cause_of(error)
    try:
        reply = await _greeting(reader)
    except TimeoutError:
        return "timed out waiting for the greeting"
    except (OSError, EOFError, PeerBroke, ReplyEndLost) as error:
        return cause_of(error)
    finally:
        reader.close()
    return "" if reply.code in GREETING.goes_on else reply.text


async def _greeting(reader: WireReader) -> ServerReply:
    """Return the greeting, and take leave whatever it is."""
    replies = ReplyReader()
    async with asyncio.timeout(_GREETING_TIMEOUT):
        reply = await _next_reply(reader, replies)
    reader.send(b"QUIT\r\n")
    with suppress(OSError, EOFError, PeerBroke, ReplyEndLost, TimeoutError):
        async with asyncio.timeout(_GOODBYE_TIMEOUT):
            await _next_reply(reader, replies)  # so that its log has no reason to complain
    return reply


async def _next_reply(reader: WireReader, replies: ReplyReader) -> ServerReply:
    while (reply := replies.next_reply()) is None:
        replies.receive(await reader.read())
    return reply
