"""`restante queue delete|bounce|release`: change many messages, a bounded number at a time.

Only the messages counted first are changed, not mail that arrives later. After an interruption some
messages are changed and others are not. To finish, run the same command again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from restante.cli.api_client import ApiClient, connected
from restante.cli.delete_left import delete_left_mail
from restante.cli.display import JsonObject, say
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import (
    ConfigOption,
    ReasonOption,
    ReasonUnlessDryOption,
    YesOption,
    reason_for,
)
from restante.cli.progress import progress
from restante.cli.queue_selection import (
    AllMailOption,
    SelectionOptions,
    confirm,
    count_matching,
    require_choice,
    with_parked_selection,
    with_selection,
)
from restante.cli.release_command import told
from restante.mail.quantity import counted
from restante.phrases import MAY_HAVE_LEFT, NOT_QUEUED

AT_ONCE: Final = 1000  # messages in one request and one transaction of the store

_REMEDY: Final = (
    "restore it from a backup, or remove it with `restante queue delete`"  # of a damaged message
)

MessagesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]", help="Messages by the names of `queue list`; or use filters."),
]
LeftOption = Annotated[
    bool,
    typer.Option(
        "--delivered-since-backup",
        help="After a restore: the mail that had left before, by the newer --history.",
    ),
]
NewerHistoryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--history",
        metavar="FILE",
        help="A newer history, as `restante trace --ndjson` writes it; - is standard input. Can be"
        " given several times.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show that mail, and delete nothing.")
]
LeftJsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON, with --delivered-since-backup.")
]
ReleaseReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Reason for the audit trail.")
]


@dataclass(frozen=True, slots=True)
class QueueCommand:
    """The change that a command makes."""

    command: str
    path: str
    question: str
    done: str


DELETE: Final = QueueCommand("queue delete", "/v1/queue/delete", "delete permanently", "deleted")
BOUNCE: Final = QueueCommand(
    "queue bounce", "/v1/queue/bounce", "delete and report to the senders", "bounced"
)
RELEASE: Final = QueueCommand("queue release", "/v1/queue/release", "release", "held again")


@dataclass(slots=True)
class QueueWork:
    """The progress of a command."""

    verb: QueueCommand
    reason: str
    status: str | None = None  # only recipients with this one are concerned
    total: int = 0
    tried: int = 0
    changed: int = 0
    told: int = 0  # senders of bounced messages
    missing: list[str] = field(default_factory=list)
    handed_over: list[JsonObject] = field(default_factory=list)  # answers, one for each domain
    damaged: list[dict[str, str]] = field(
        default_factory=list
    )  # name and damage of messages that could not be bounced or held again

    async def run(self, api: ApiClient, names: Sequence[str]) -> None:
        """Change all of these messages. Raises Failure."""
        self.total = len(names)
        with progress(self.verb.question, self.total) as advance:
            for start in range(0, self.total, AT_ONCE):
                chunk = names[start : start + AT_ONCE]
                body = {"names": chunk, "reason": self.reason}
                if self.status is not None:
                    body["status"] = self.status
                done = await api.ask("POST", self.verb.path, body=body)
                self.tried += len(chunk)
                self.changed += done["changed"]
                self.missing += done["missing"]
                self.told += done.get("told", 0)
                self.damaged += done.get("damaged", ())
                self.handed_over += done.get("handed_over", ())
                advance(len(chunk))

    @property
    def is_half_done(self) -> bool:
        """Some messages were tried and some were not."""
        return 0 < self.tried < self.total

    def half_done(self) -> str:
        """Return a message about it. The result of an interrupted request is unknown."""
        rest = f"of {self.total} counted; to continue, run the same command again"
        return (
            f"{self.verb.command}: stopped: at least {counted(self.changed, 'message')}"
            f" {self.verb.done} {rest}"
        )


@with_selection
def delete(
    names: MessagesArgument = None,
    *,
    reason: ReasonUnlessDryOption = None,
    selection: SelectionOptions,
    is_all: AllMailOption = False,
    has_left: LeftOption = False,
    history: NewerHistoryOption = None,
    is_dry_run: DryRunOption = False,
    as_json: LeftJsonOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Permanently delete messages, for all their recipients. No report is sent.

    The messages are counted first. Mail that arrives later is not deleted.

    With --delivered-since-backup, only recipients are removed that left by the newer --history:
    delivered, bounced, deleted or expired. All other mail stays held. The exit code is 65 if the
    history is about other mail with the same names.
    """
    stated = reason_for(DELETE.command, reason, is_dry_run=is_dry_run)
    if has_left:
        if names or selection.params or is_all or not history:
            remedy = "give --history FILE with it, and no names, filters or --all"
            text = f"queue delete: --delivered-since-backup chooses the messages; {remedy}"
            raise Failure(Exit.USAGE, text)
        delete_left_mail(
            config, history, stated, is_dry_run=is_dry_run, is_confirmed=yes, as_json=as_json
        )
        return
    if history or is_dry_run or as_json:
        text = "queue delete: --history, --dry-run and --json need --delivered-since-backup"
        raise Failure(Exit.USAGE, f"{text}; `restante queue list` shows the messages of a filter")
    require_choice(DELETE.command, names or [], selection, is_all=is_all)
    _change(config, DELETE, names or [], selection, stated, is_confirmed=yes, asks_for_names=True)


@with_selection
def bounce(
    names: MessagesArgument = None,
    *,
    reason: ReasonOption,
    selection: SelectionOptions,
    is_all: AllMailOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Delete messages and send their senders a non-delivery report where one is allowed.

    The messages are counted first. Mail that arrives later is not bounced. Damaged messages are
    listed and stay refused, because a report cannot quote them. The exit code is then 65.
    """
    require_choice(BOUNCE.command, names or [], selection, is_all=is_all)
    _change(config, BOUNCE, names or [], selection, reason, is_confirmed=yes, asks_for_names=True)


@with_parked_selection
def release(
    names: MessagesArgument = None,
    *,
    reason: ReleaseReasonOption = "",
    selection: SelectionOptions,
    is_all: AllMailOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Hand over held mail now, or hold refused, uncertain or damaged mail again.

    Held messages are handed over by name: only these, at most 20 of a domain, to its destination.
    The rest of the domain stays held. Refused, uncertain or damaged mail is held again. The next
    release hands it over.

    Without names and without --status, this concerns refused mail only, also with --all. The
    destination may have accepted uncertain mail already. Releasing it can deliver it twice. Damaged
    mail is checked first. It is held again only if it is whole; otherwise the exit code is 65.
    """
    without_status = replace(selection, status=None)
    require_choice(RELEASE.command, names or [], without_status, is_all=is_all)
    if selection.status is None and not names:
        selection = replace(selection, status="refused")
    _change(config, RELEASE, names or [], selection, reason, is_confirmed=yes, asks_for_names=False)


def _change(
    config: Path | None,
    verb: QueueCommand,
    names: Sequence[str],
    selection: SelectionOptions,
    reason: str,
    *,
    is_confirmed: bool,
    asks_for_names: bool,
) -> None:
    work = QueueWork(verb, reason, status=selection.status if verb is RELEASE else None)

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
                found = await count_matching(api, selection)
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
    """Return text on the senders of bounced mail: how many get a report, and how many do not."""
    if work.verb is not BOUNCE:
        return ""
    untold = work.changed - work.told
    cannot = (
        f", {counted(untold, 'sender gets', 'senders get')} no report (null or suspect"
        " reverse-path, or NOTIFY=NEVER)"
        if untold
        else ""
    )
    return f", {counted(work.told, 'sender gets', 'senders get')} a report{cannot}"


def _report(work: QueueWork, *, is_by_name: bool) -> None:
    """Print the number of changed messages. Raises Failure if some are damaged or missing."""
    if work.changed or not work.handed_over:
        say(f"{counted(work.changed, 'message')} {work.verb.done}{_told(work)}")
    for answer in work.handed_over:
        say(told(answer))
    problems = [
        f"message {one['name']}: {one['damage']}; not {work.verb.done}: {_REMEDY}"
        for one in work.damaged
    ]
    if work.missing and is_by_name:
        problems += [f"message {name}: {NOT_QUEUED}; {MAY_HAVE_LEFT}" for name in work.missing]
    elif work.missing:
        gone = counted(len(work.missing), "was", "were")
        complain(f"{work.verb.command}: {gone} delivered or deleted meanwhile")
    if problems:
        raise Failure(Exit.DATA if work.damaged else Exit.NO_INPUT, *problems)
