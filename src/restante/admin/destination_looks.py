"""The last look at each destination, kept in the store: at most one in ten minutes.

The store keeps the facts, for the account that had them gathered, and a mark of every look. So the
limit holds for all accounts, for all servers of one store, and for commands without a server.

Limitation: two servers can look at the same moment when one ten minutes end and the next begin.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from restante.admin.admin_context import AdminContext
from restante.readiness.destination_facts import DestinationFacts
from restante.store.answer_store import AnswerBounds, KeptAnswer

EVERY_SECONDS: Final = 600.0
_MARKS: Final = "looks at destinations"  # the owner of the marks; no principal has this text
_BOUNDS: Final = (500, 5000, 16 * 1024 * 1024)  # as those of idempotent requests
_FACTS: Final = TypeAdapter(DestinationFacts)


@dataclass(frozen=True, slots=True)
class RememberedLook:
    """The last look, and when the next one is possible. Unix time."""

    facts: DestinationFacts | None  # None: another account had it, or it is under way
    again_at: float


async def look_or_remember(
    context: AdminContext,
    account: str,
    destination: str,
    look: Callable[[], Awaitable[DestinationFacts]],
) -> RememberedLook:
    """Return the facts of the last ten minutes, or look now and keep them. Raises StoreError."""
    at = await _marked_at(context, destination)
    if at is not None:
        facts = await _kept_facts(context, account, destination)
        return RememberedLook(facts, at + EVERY_SECONDS)
    now = context.now()
    until = (_slot(now) + 1) * EVERY_SECONDS
    digest = hashlib.sha256(f"look {destination} {_slot(now)}".encode()).digest()
    if not await context.store.used.use(digest, until):
        return RememberedLook(None, until)
    await _keep(context, _MARKS, destination, now, b"")
    found = await look()
    await _keep(context, _owner(account), destination, now, _FACTS.dump_json(found))
    return RememberedLook(found, now + EVERY_SECONDS)


def _slot(now: float) -> int:
    return int(now // EVERY_SECONDS)


def _owner(account: str) -> str:
    """Return the owner of the facts, which count to the account (answer_store.py)."""
    return f"{account}\n{_MARKS}"


async def _kept(context: AdminContext, owner: str, destination: str) -> KeptAnswer | None:
    """Return what was kept of the last look, if it is not older than the limit."""
    now = context.now()
    for slot in (_slot(now), _slot(now) - 1):
        key = f"{destination} {slot}"
        kept = await context.store.answers.answer(owner, key, now - EVERY_SECONDS)
        if kept is not None and kept.at > now - EVERY_SECONDS:
            return kept
    return None


async def _marked_at(context: AdminContext, destination: str) -> float | None:
    kept = await _kept(context, _MARKS, destination)
    return None if kept is None else kept.at


async def _kept_facts(
    context: AdminContext, account: str, destination: str
) -> DestinationFacts | None:
    kept = await _kept(context, _owner(account), destination)
    if kept is None or not kept.body:
        return None
    try:
        return _FACTS.validate_json(kept.body)
    except ValidationError:  # of another version of this program
        return None


async def _keep(
    context: AdminContext, owner: str, destination: str, at: float, body: bytes
) -> None:
    of_owner, number, octets = _BOUNDS
    bounds = AnswerBounds(at - 86_400.0, of_owner, number, octets)
    key = f"{destination} {_slot(at)}"
    await context.store.answers.keep_answer(owner, key, KeptAnswer(b"", at, 200, body), bounds)
