"""`restante queue import`: hold mail from Postfix's queue, an export or any mailbox.

The command reads the mail twice: once to measure it, and once to send it in batches. A message that
is held already is not imported again (transfer/queue_import.py defines when two are the same). To
resume an interrupted import, repeat it.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.api_client import PAGE, ApiClient, connected
from restante.cli.display import human_size, say, show_json
from restante.cli.failures import Exit, Failure, complain
from restante.cli.import_content import ContentMeasure
from restante.cli.import_sources import SourceMessage, UnreadableFile, source_messages
from restante.cli.options import ConfigOption, JsonOption, ReasonOption, with_options
from restante.cli.progress import progress
from restante.mail.import_stream import WHOLE, pack_block, pack_label
from restante.mail.quantity import agreeing, counted

AT_ONCE: Final = 200  # messages in one request, which holds all of them or none
OCTETS_AT_ONCE: Final = 8 * 1024 * 1024  # a request also ends at this size

_DIGESTS: Final = 500  # messages that the server reads for one request

FileStyle = Literal["eml", "maildir", "mbox", "postcat"]
_Measured = tuple[SourceMessage, ContentMeasure]
_SizeAndPath = tuple[
    int, str
]  # size and reverse-path, to compare with held mail before reading content


@dataclass(slots=True)
class ImportTally:
    """The results of an import."""

    imported: int = 0
    octets: int = 0
    already: int = 0
    unusable: list[str] = field(default_factory=list)  # reasons, a line each


@dataclass(slots=True)
class ImportPlan:
    """The results of the first reading."""

    messages: int = 0
    octets: int = 0
    keys: set[_SizeAndPath] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Facts about the mail from the options of the command."""

    domain: str | None
    style: FileStyle | None
    reverse_path: str | None
    forward_paths: tuple[str, ...]

    def completed(self, message: SourceMessage) -> SourceMessage | UnreadableFile:
        """Return the message, completed from the options where it lacks facts."""
        reverse_path = self.reverse_path if message.reverse_path is None else message.reverse_path
        forward_paths = message.forward_paths or self.forward_paths
        if reverse_path is None:
            return UnreadableFile(message.place, "it has no reverse-path; give --reverse-path")
        if not forward_paths:
            return UnreadableFile(message.place, "it has no recipients; give --to")
        return replace(message, reverse_path=reverse_path, forward_paths=forward_paths)


_FACTS: Final[Mapping[str, Any]] = {
    "domain": Annotated[
        str | None,
        typer.Option("--domain", metavar="DOMAIN", help="Only recipients of this domain."),
    ],
    "style": Annotated[
        FileStyle | None,
        typer.Option(
            "--format", help="Format of the files. Default: detected.", show_default=False
        ),
    ],
    "reverse_path": Annotated[
        str | None,
        typer.Option(
            "--reverse-path",
            metavar="PATH",
            help="For mail without a reverse-path; <> is the null path.",
        ),
    ],
    "forward_paths": Annotated[
        list[str] | None,
        typer.Option("--to", metavar="PATH", help="Recipient for mail without any; repeatable."),
    ],
}


def _given(options: Mapping[str, Any]) -> ImportOptions:
    path, forward_paths = options["reverse_path"], options["forward_paths"]
    reverse_path = None if path is None else path.removeprefix("<").removesuffix(">")
    return ImportOptions(
        options["domain"], options["style"], reverse_path, tuple(forward_paths or ())
    )


def _with_facts(command: Callable[..., int]) -> Callable[..., int]:
    """Give the command the options of facts about the mail."""
    return with_options(command, "given", _FACTS, _given)


@_with_facts
def import_mail(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="PLACE", help="Files, directories of files, Maildirs or mboxes.", exists=True
        ),
    ],
    *,
    given: ImportOptions,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Hold mail from Postfix's queue (output of postcat), an export or any mailbox.

    Recipients outside hosted domains are listed and skipped. Unusable messages are listed too, and
    the exit code is then 65. To resume an interrupted import, run the same command again. A
    message that is still held is skipped. One that has left meanwhile is imported again.
    """
    work = _Import(places, given, reason)
    try:
        asyncio.run(work.run(config))
    except KeyboardInterrupt:
        raise Failure(Exit.TRY_LATER, f"queue import: stopped: {work.sofar}") from None
    except Failure:
        if work.tally.imported:
            complain(f"queue import: {work.sofar}")
        raise
    _report(work.tally, as_json=as_json)
    return Exit.DATA if work.tally.unusable else Exit.DONE


class _Import:
    """One import, from beginning to end."""

    def __init__(self, places: Sequence[Path], given: ImportOptions, reason: str) -> None:
        self._places = places
        self._given = given
        self._reason = reason
        # Names of held messages by digest, without those matched already.
        self._held: dict[str, list[str]] = defaultdict(list)
        self.tally = ImportTally()

    @property
    def sofar(self) -> str:
        """The progress, as text."""
        held = counted(self.tally.imported, "message is", "messages are")
        return f"{held} held; to continue, run the same command again"

    async def run(self, config: Path | None) -> None:
        """Measure the mail, then import it. Raises Failure."""
        plan = self._look()
        if not plan.messages:
            return
        async with connected(config) as api:
            if self._given.domain is not None:
                await api.ask(
                    "GET", f"/v1/domains/{self._given.domain}"
                )  # raises Failure if it is not hosted
            await self._see_what_is_held(api, plan)
            with progress("importing", plan.messages) as advance:
                for batch in self._batches():
                    await self._send(api, batch)
                    advance(len(batch))

    def _look(self) -> ImportPlan:
        plan = ImportPlan()
        with progress("reading") as advance:
            for message, measure in self._usable(self.tally):
                plan.messages += 1
                plan.octets += measure.size
                plan.keys.add((measure.size, message.reverse_path or ""))
                plan.digests.add(measure.digest)
                advance(1)
        return plan

    def _usable(self, tally: ImportTally | None) -> Iterator[_Measured]:
        """Yield the usable messages. Record the others in `tally`, on one of the two readings."""
        for found in source_messages(self._places, self._given.style):
            message = (
                found
                if isinstance(found, UnreadableFile)
                else _measured(self._given.completed(found))
            )
            if isinstance(message, tuple):
                yield message
            elif tally is not None:
                _complain(tally, f"{message.place}: {message.error}")

    async def _see_what_is_held(self, api: ApiClient, plan: ImportPlan) -> None:
        """Find messages that may be held already, by size and reverse-path, then by digest."""
        params: dict[str, Any] = {"limit": PAGE, "domain": self._given.domain}
        held = await api.ask("GET", "/v1/queue", params=params)
        alike = [one["name"] for one in held if (one["size"], one["reverse_path"]) in plan.keys]
        with progress("comparing", len(alike)) as advance:
            for start in range(0, len(alike), _DIGESTS):
                names = alike[start : start + _DIGESTS]
                digests = await api.ask("POST", "/v1/queue/digests", body={"names": names})
                for name, digest in digests.items():
                    if digest in plan.digests:
                        self._held[digest].append(name)
                advance(len(names))

    def _batches(self) -> Iterator[list[_Measured]]:
        batch: list[_Measured] = []
        octets = 0
        for message, measure in self._usable(None):
            batch.append((message, measure))
            octets += measure.size
            if len(batch) == AT_ONCE or octets >= OCTETS_AT_ONCE:
                yield batch
                batch, octets = [], 0
        if batch:
            yield batch

    async def _send(self, api: ApiClient, batch: Sequence[_Measured]) -> None:
        results = await api.send(
            "/v1/queue/import", self._packed(batch), params={"reason": self._reason}
        )
        for (message, measure), result in zip(batch, results, strict=True):
            self._count(message, measure, result)

    async def _packed(self, batch: Sequence[_Measured]) -> AsyncIterator[bytes]:
        for message, measure in batch:
            waiting = pack_label(json.dumps(self._label(message, measure)))
            for block in message.content.blocks():
                yield waiting + pack_block(block)
                waiting = b""
            yield waiting + WHOLE

    def _label(self, message: SourceMessage, measure: ContentMeasure) -> dict[str, Any]:
        return {
            "reverse_path": message.reverse_path,
            "forward_paths": message.forward_paths,
            "received_at": message.received_at and message.received_at.isoformat(),
            "is_8bit": measure.is_8bit,
            "needs_smtputf8": message.needs_smtputf8,
            "dsn": message.dsn,
            "is_suspect": message.is_suspect,
            "is_delay_told": message.is_delay_told,
            "message_id": message.message_id,
            "origin": message.origin,
            "only_domain": self._given.domain,
            "perhaps": self._held.get(measure.digest, []),
        }

    def _count(
        self, message: SourceMessage, measure: ContentMeasure, result: dict[str, Any]
    ) -> None:
        if result["held"]:
            self.tally.imported += 1
            self.tally.octets += measure.size
        elif result["already"]:
            self.tally.already += 1
        for name in result["already"]:
            self._held[measure.digest].remove(name)  # it matches one message only
        if result["error"]:
            _complain(self.tally, f"{message.place}: {result['error']}")
        if result["passed_over"]:
            paths = " ".join(f"<{path}>" for path in result["passed_over"])
            _complain(
                self.tally,
                f"{message.place}: {paths}: not in a hosted domain, or not in the domain of"
                " --domain; skipped",
            )


def _measured(message: SourceMessage | UnreadableFile) -> "_Measured | UnreadableFile":
    """Measure a message's content. Return Unreadable if that fails."""
    if isinstance(message, UnreadableFile):
        return message
    try:
        return message, message.content.measure()
    except OSError as error:
        return UnreadableFile(message.place, error.strerror or str(error))


def _complain(tally: ImportTally, text: str) -> None:
    tally.unusable.append(text)
    complain(f"queue import: {text}")


def _report(tally: ImportTally, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "imported": tally.imported,
                "octets": tally.octets,
                "already_held": tally.already,
                "unusable": tally.unusable,
            }
        )
        return
    already = f"; {counted(tally.already, 'was', 'were')} held already" if tally.already else ""
    held = f"{counted(tally.imported, 'message')}, {human_size(tally.octets)}"
    say(f"{held}, {agreeing(tally.imported, 'is', 'are')} held{already}")
