"""Secrets of the records, sealed again under the present key of the key file.

Each record is a transaction of its own, and every secret opens before and after it. So an
interrupted run is completed by the next one. No server may be running meanwhile.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import entry
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import Login
from restante.tenancy.records_sealed_again import (
    change_sealed_again,
    channel_sealed_again,
    domain_sealed_again,
    login_sealed_again,
    user_sealed_again,
)

_REASON: Final = "the key file was rotated"
_AT_ONCE: Final = 100  # records, which then share a sync

Write = Coroutine[Any, Any, object]


async def seal_secrets_again(context: AdminContext) -> int:
    """Seal all secrets of records under the present key; return in how many. Raises StoreError.

    A secret that no key opens stays as it is: it was of no use before.
    """
    await context.directory.refresh()
    count = await _all_written(_records(context))
    after = 0
    while changes := await context.store.schedule.waiting_changes(after=after):
        for change in changes:
            again = change_sealed_again(context.vault, change)
            if again != change:
                await context.store.schedule.replace_seals(again)
                count += 1
        after = changes[-1].id
    return count


async def _all_written(writes: Iterator[Write]) -> int:
    count = 0
    while some := list(islice(writes, _AT_ONCE)):
        await asyncio.gather(*some)
        count += len(some)
    return count


def _records(context: AdminContext) -> Iterator[Write]:
    now = context.directory.now
    yield from _logins(context, now.logins.values())
    vault, records = context.vault, context.store.records
    for domain in now.domains.values():
        again = domain_sealed_again(vault, domain)
        if again != domain:
            noted = entry(context, AuditAction.DOMAIN_CHANGED, domain.name, domain.account, _REASON)
            yield records.put_domain(again, replace(noted, domain=domain.name), before=domain)
    for channel in now.channels.values():
        sealed = channel_sealed_again(vault, channel)
        if sealed != channel:
            action = AuditAction.CHANNEL_CHANGED
            noted = entry(context, action, channel.name, channel.account, _REASON)
            yield records.put_channel(sealed, noted, before=channel)
    for user in now.portal_users.values():
        renewed = user_sealed_again(vault, user)
        if renewed != user:
            noted = entry(context, AuditAction.USER_CHANGED, user.email, user.account, _REASON)
            yield records.put_portal_user(replace(renewed, revision=user.revision + 1), noted)


def _logins(context: AdminContext, logins: Iterable[Login]) -> Iterator[Write]:
    for login in logins:
        again = login_sealed_again(context.vault, login)
        if again != login:
            noted = entry(context, AuditAction.LOGIN_CHANGED, login.user, login.account, _REASON)
            yield context.store.records.put_login(again, noted, before=login)
