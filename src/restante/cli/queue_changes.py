"""`restante queue delete|bounce|release`: the same done to many messages, a bounded number at a time.

What was counted is what is changed, and mail that comes in meanwhile is not. Broken off, it is done for some and not
for others; the same command again counts, and does, what is left.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer

from restante.cli.api_client import Api, connected
from restante.cli.display import say
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigFile, Reason
from restante.cli.progress import progress
from restante.cli.queue_selection import (
    Domain,
    Every,
    Larger,
    Older,
    Parked,
    Recipient,
    ReversePath,
    Selection,
    Status,
    Yes,
    confirm,
    count,
    require_choice,
)
from restante.mail.quantity import counted
from restante.phrases import MAY_HAVE_LEFT, NOT_QUEUED

AT_ONCE: Final = 1000  # messages in one request, and so in one transaction of the store

_REMEDY: Final = (
    "restore it from a backup, or `restante queue delete` removes it"  # of a damaged message
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]", help="Messages, as `queue list` names them; or use filters."),
]
WhyRelease = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the audit trail.")
]


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done."""

    command: str
    path: str
    question: str
    done: str


DELETE: Final = Verb("queue delete", "/v1/queue/delete", "delete for good", "deleted")
BOUNCE: Final = Verb("queue bounce", "/v1/queue/bounce", "give up and tell the senders", "bounced")
RELEASE: Final = Verb("queue release", "/v1/queue/release", "hold again", "held again")


@dataclass(slots=True)
class QueueWork:
    """How far it is."""

    verb: Verb
    reason: str
    total: int = 0
    tried: int = 0
    changed: int = 0
    told: int = 0  # senders, of what was bounced
    missing: list[str] = field(default_factory=list)
    damaged: list[dict[str, str]] = field(
        default_factory=list
    )  # name and damage of what could not be bounced

    async def run(self, api: Api, names: Sequence[str]) -> None:
        """Do it to all of these. Raises Failure."""
        self.total = len(names)
        with progress(self.verb.question, self.total) as advance:
            for start in range(0, self.total, AT_ONCE):
                chunk = names[start : start + AT_ONCE]
                done = await api.ask(
                    "POST", self.verb.path, body={"names": chunk, "reason": self.reason}
                )
                self.tried += len(chunk)
                self.changed += done["changed"]
                self.missing += done["missing"]
                self.told += done.get("told", 0)
                self.damaged += done.get("damaged", ())
                advance(len(chunk))

    @property
    def is_half_done(self) -> bool:
        """Some of it is done and some is not."""
        return 0 < self.tried < self.total

    def half_done(self) -> str:
        """Say so: of what was under way when it stopped, it is not known."""
        rest = f"of {self.total} that were counted; the same command again goes on with the rest"
        return f"{self.verb.command}: stopped: at least {counted(self.changed, 'message')} {self.verb.done} {rest}"


def _destructive(verb: Verb, about: str) -> Callable[..., None]:
    """Make the command of a verb after which the messages are gone."""

    def change(
        names: Names = None,
        *,
        reason: Reason,
        domain: Domain = None,
        reverse_path: ReversePath = None,
        recipient: Recipient = None,
        older: Older = None,
        larger: Larger = None,
        status: Status = None,
        is_all: Every = False,
        yes: Yes = False,
        config: ConfigFile = None,
    ) -> None:
        selection = Selection(domain, reverse_path, recipient, older, larger, status)
        require_choice(verb.command, names or [], selection, is_all=is_all)
        _change(config, verb, names or [], selection, reason, is_confirmed=yes, asks_for_names=True)

    change.__doc__ = about
    return change


delete = _destructive(
    DELETE,
    "Delete messages for good, for all their recipients; nobody is told.\n\n"
    "They are counted first. What comes in after that is not deleted.",
)
bounce = _destructive(
    BOUNCE,
    "Give messages up: they go, and their senders get a report that delivery failed, where they may be told.\n\n"
    "They are counted first. What comes in after that is not bounced. Damaged ones are named and stay, refused, for "
    "nobody can be told what they were; the exit code is then 65.",
)


def release(
    names: Names = None,
    *,
    reason: WhyRelease = "",
    domain: Domain = None,
    reverse_path: ReversePath = None,
    recipient: Recipient = None,
    older: Older = None,
    larger: Larger = None,
    status: Parked = "refused",
    is_all: Every = False,
    yes: Yes = False,
    config: ConfigFile = None,
) -> None:
    """Hold refused or uncertain mail again: it goes with the next release of its domain.

    The destination may have taken uncertain mail. Releasing it can make a copy.
    """
    selection = Selection(domain, reverse_path, recipient, older, larger)
    require_choice(RELEASE.command, names or [], selection, is_all=is_all)
    parked = Selection(domain, reverse_path, recipient, older, larger, status)
    _change(config, RELEASE, names or [], parked, reason, is_confirmed=yes, asks_for_names=False)


def _change(
    config: Path | None,
    verb: Verb,
    names: Sequence[str],
    selection: Selection,
    reason: str,
    *,
    is_confirmed: bool,
    asks_for_names: bool,
) -> None:
    work = QueueWork(verb, reason)

    async def change() -> None:
        async with connected(config) as api:
            chosen = names
            if names:
                what = counted(len(names), "message")
                needs_no_answer = (
                    is_confirmed or not asks_for_names or (verb is DELETE and len(names) == 1)
                )
                confirm(verb.command, what, verb.question, is_confirmed=needs_no_answer)
            else:
                found = await count(api, selection)
                chosen = found.names
                if chosen:
                    confirm(verb.command, str(found), verb.question, is_confirmed=is_confirmed)
            await work.run(api, chosen)

    _run(work, change)
    _report(work, is_by_name=bool(names))


def _run(work: QueueWork, change: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        asyncio.run(change())
    except KeyboardInterrupt:
        if not work.total:
            raise
        raise Failure(Exit.TRY_LATER, work.half_done()) from None
    except Failure:
        if work.is_half_done:
            complain(work.half_done())
        raise


def _told(work: QueueWork) -> str:
    """Say of what was bounced how many senders get a report, and how many may not get one."""
    if work.verb is not BOUNCE:
        return ""
    untold = work.changed - work.told
    cannot = (
        f", {counted(untold, 'sender')} cannot be told (null or suspect reverse-path, or NOTIFY=NEVER)"
        if untold
        else ""
    )
    return f", {counted(work.told, 'sender is', 'senders are')} told{cannot}"


def _report(work: QueueWork, *, is_by_name: bool) -> None:
    """Say how many were changed. Raises Failure if some are damaged, or some that were named were not there."""
    say(f"{counted(work.changed, 'message')} {work.verb.done}{_told(work)}")
    problems = [
        f"message {one['name']}: {one['damage']}; not {work.verb.done}: {_REMEDY}"
        for one in work.damaged
    ]
    if work.missing and is_by_name:
        problems += [f"message {name}: {NOT_QUEUED}; {MAY_HAVE_LEFT}" for name in work.missing]
    elif work.missing:
        gone = counted(len(work.missing), "was", "were")
        complain(f"{work.verb.command}: {gone} gone meanwhile: delivered or deleted")
    if problems:
        raise Failure(Exit.DATA if work.damaged else Exit.NO_INPUT, *problems)
