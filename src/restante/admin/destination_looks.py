"""The last look at each destination, kept in the store: at most one in ten minutes.

The store keeps the facts, for the account that had them gathered, and marks of every look. So the
limit holds for all accounts, for all servers of one store, and for commands without a server. A
destination that did not greet got no commands, and can be looked at again after 90 seconds.

Limitation: two servers can look at the same moment when one slot of 90 seconds ends and the next
one begins.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from restante.admin.admin_context import AdminContext
from restante.readiness.destination_facts import DestinationFacts
from restante.request_limits.dial_limits import DialWait
from restante.store.answer_store import AnswerBounds, KeptAnswer

EVERY_SECONDS: Final = 600.0  # between two looks at a destination that greets
BEGUN_SECONDS: Final = 90.0  # longer than a look takes
_MARKS: Final = "looks at destinations"  # the owner of the marks; no principal has this text
_BOUNDS: Final = (500, 5000, 16 * 1024 * 1024)  # as those of idempotent requests
_KEPT_SECONDS: Final = 86_400.0
_OK: Final = 200  # kept answers have a status
_FACTS: Final = TypeAdapter(DestinationFacts)


@dataclass(frozen=True, slots=True)
class RememberedLook:
    """The last look, and when the next one is possible. Unix time."""

    facts: DestinationFacts | None  # None: another account had it, it is under way, or see `cause`
    again_at: float
    cause: str = ""  # why this account gets no look now


class _LookMark(NamedTuple):
    """A look, and until when there is no other. Unix time."""

    at: float
    until: float


async def look_or_remember(
    context: AdminContext,
    account: str,
    destination: str,
    look: Callable[[], Awaitable[DestinationFacts]],
    allow: Callable[[], DialWait | None],
) -> RememberedLook:
    """Return the facts of the last look, or look now and keep them. Raises StoreError.

    `allow` counts a look, or returns why the account must wait. A remembered look is not counted.
    """
    mark = await _mark_of(context, destination)
    if mark is not None:
        facts = await _kept_facts(context, account, destination, mark.at)
        return RememberedLook(facts, mark.until)
    now = context.now()
    if (wait := allow()) is not None:
        return RememberedLook(None, now + wait.seconds, wait.cause)
    slot = _slot(now, BEGUN_SECONDS)
    until = (slot + 1) * BEGUN_SECONDS
    digest = hashlib.sha256(f"look {destination} {slot}".encode()).digest()
    if not await context.store.used.use(digest, until):
        return RememberedLook(None, until)
    await _keep(context, _MARKS, f"{destination} begun {slot}", now)
    found = await look()
    key = f"{destination} facts {slot}"
    await _keep(context, _owner(account), key, now, _FACTS.dump_json(found))
    if not found.has_greeted:
        return RememberedLook(found, now + BEGUN_SECONDS)
    await _keep(context, _MARKS, f"{destination} seen {_slot(now, EVERY_SECONDS)}", now)
    return RememberedLook(found, now + EVERY_SECONDS)


def _slot(at: float, seconds: float) -> int:
    return int(at // seconds)


def _owner(account: str) -> str:
    """Return the owner of the facts, which count to the account (answer_store.py)."""
    return f"{account}\n{_MARKS}"


async def _mark_of(context: AdminContext, destination: str) -> _LookMark | None:
    """Return the mark of a look that is too new for another one."""
    now = context.now()
    for kind, seconds in (("seen", EVERY_SECONDS), ("begun", BEGUN_SECONDS)):
        for slot in (_slot(now, seconds), _slot(now, seconds) - 1):
            key = f"{destination} {kind} {slot}"
            kept = await context.store.answers.answer(_MARKS, key, now - seconds)
            if kept is not None and kept.at > now - seconds:
                return _LookMark(kept.at, kept.at + seconds)
    return None


async def _kept_facts(
    context: AdminContext, account: str, destination: str, at: float
) -> DestinationFacts | None:
    """Return the facts of the look at a time, if this account had them gathered."""
    key = f"{destination} facts {_slot(at, BEGUN_SECONDS)}"
    kept = await context.store.answers.answer(_owner(account), key, at - 1)
    if kept is None or not kept.body:
        return None
    try:
        return _FACTS.validate_json(kept.body)
    except ValidationError:  # of another version of this program
        return None


async def _keep(context: AdminContext, owner: str, key: str, at: float, body: bytes = b"") -> None:
    of_owner, number, octets = _BOUNDS
    bounds = AnswerBounds(at - _KEPT_SECONDS, of_owner, number, octets)
    await context.store.answers.keep_answer(owner, key, KeptAnswer(b"", at, _OK, body), bounds)
