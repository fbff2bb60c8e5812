"""`restante queue delete --delivered-since-backup`: the mail that a restored backup holds again.

The newer history is read from exports, as `restante trace --ndjson` writes them. The command first
asks which held recipients their entries prove to be gone, and shows the result. The deletion sends
only the entries of those messages again. It is not one transaction: after an interruption some
messages are deleted and others are not. To finish, run the same command again.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from restante.cli.api_client import ApiClient, connected
from restante.cli.display import (
    Column,
    JsonObject,
    human_time,
    paths_text,
    say,
    show_json,
    show_table,
    text_column,
)
from restante.cli.failures import Exit, Failure, complain
from restante.cli.progress import progress
from restante.cli.queue_selection import confirm
from restante.mail.foreign_json import read_foreign_json
from restante.mail.quantity import agreeing, counted
from restante.queue.newer_history import GONE

AT_ONCE: Final = 500  # entries in one request
OCTETS_AT_ONCE: Final = 512 * 1024  # a request also ends at this size: 1 MiB is accepted

_COMMAND: Final = "queue delete --delivered-since-backup"
_PATH: Final = "/v1/queue/delete-left"
_FIELDS: Final = (
    *("name", "received_at", "octets", "reverse_path", "message_id"),
    *("forward_path", "outcome", "at", "reply"),
)
_REMEDY: Final = "write it with `restante trace --ndjson` on the newer store"


def _first(row: JsonObject, key: str) -> Any:
    return row["recipients"][0][key]


COLUMNS = (
    text_column("NAME", "name"),
    text_column("DOMAIN", "domain"),
    Column("OUTCOME", lambda row: _first(row, "outcome")),
    Column("AT", lambda row: human_time(_first(row, "at"))),
    Column("TO", lambda row: paths_text([one["forward_path"] for one in row["recipients"]])),
    Column("REPLY", lambda row: _first(row, "reply"), is_detail=True),
)


@dataclass(slots=True)
class LeftTally:
    """The results of the command."""

    entries: int = 0  # of the history about recipients that left
    messages: list[dict[str, Any]] = field(default_factory=list)
    doubtful: list[dict[str, Any]] = field(default_factory=list)
    deleted: int = 0
    missing: list[str] = field(default_factory=list)
    proofs: list[dict[str, Any]] = field(default_factory=list)  # the entries about `messages`

    def add(self, found: JsonObject, batch: Sequence[dict[str, Any]]) -> None:
        """Add what a dry run found with these entries."""
        self.entries += len(batch)
        self.messages += found["messages"]
        self.doubtful += found["doubtful"]
        names = {one["name"] for one in found["messages"]}
        self.proofs += [one for one in batch if one["name"] in names]

    @property
    def outcomes(self) -> Counter[str]:
        """How many recipients left, by their outcome."""
        return Counter(one["outcome"] for message in self.messages for one in message["recipients"])

    def __str__(self) -> str:
        names = {one["name"] for one in self.messages}
        recipients = counted(self.outcomes.total(), "recipient")
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common())
        also = sum(bool(one["stay"]) for one in self.messages)
        stay = f"; {counted(also, 'message keeps', 'messages keep')} other recipients"
        text = f"{counted(len(names), 'message')}, {recipients} that left"
        return f"{text}: {outcomes}{stay if also else ''}" if names else f"{text} since the backup"


def delete_left_mail(
    config: Path | None,
    places: Sequence[Path],
    reason: str,
    *,
    is_dry_run: bool,
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Find the held mail that left by these files, show it, and delete it. Raises Failure."""
    tally = LeftTally()

    async def work(entries: Iterator[dict[str, Any]]) -> None:
        async with connected(config) as api:
            await _look(api, entries, tally)
            if not as_json:
                _show(tally, shows_names=is_dry_run)
            if tally.messages and not is_dry_run:
                confirm(_COMMAND, str(tally), "delete permanently", is_confirmed=is_confirmed)
                await _delete(api, tally, reason)

    with ExitStack() as files:
        # Before the store is opened: that can change the user.
        sources = [(place, files.enter_context(_opened(place))) for place in places]
        asyncio.run(work(_entries(sources)))
    _report(tally, is_dry_run=is_dry_run, as_json=as_json)


def _opened(place: Path) -> TextIO:
    if str(place) == "-":
        return sys.stdin
    try:
        return place.open(encoding="utf-8")
    except OSError as error:
        raise Failure(Exit.NO_INPUT, f"{place}: {error.strerror}; {_REMEDY}") from None


def _entries(sources: Sequence[tuple[Path, TextIO]]) -> Iterator[dict[str, Any]]:
    """Yield the entries about recipients that left, with the fields that the API needs."""
    for place, lines in sources:
        number = 0
        try:
            for number, line in enumerate(lines, 1):  # noqa: B007  also for the error
                entry = read_foreign_json(line)
                if entry["outcome"] in GONE:
                    yield {name: entry[name] for name in _FIELDS}
        except (ValueError, KeyError, TypeError):
            text = f"{place}: line {number}: is not an entry of the history; {_REMEDY}"
            raise Failure(Exit.DATA, text) from None


def _batches(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    octets = 0
    for entry in entries:
        batch.append(entry)
        octets += len(json.dumps(entry))
        if len(batch) == AT_ONCE or octets >= OCTETS_AT_ONCE:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


async def _look(api: ApiClient, entries: Iterator[dict[str, Any]], tally: LeftTally) -> None:
    with progress("comparing with the history") as advance:
        for batch in _batches(entries):
            body = {"outcomes": batch, "dry_run": True}
            tally.add(await api.ask("POST", _PATH, body=body), batch)
            advance(len(batch))


async def _delete(api: ApiClient, tally: LeftTally, reason: str) -> None:
    with progress("deleting", len(tally.proofs)) as advance:
        for batch in _batches(tally.proofs):
            done = await api.ask("POST", _PATH, body={"outcomes": batch, "reason": reason})
            tally.deleted += done["deleted"]
            tally.missing += done["missing"]
            advance(len(batch))


def _show(tally: LeftTally, *, shows_names: bool) -> None:
    if tally.messages and shows_names:
        show_table(tally.messages, COLUMNS)
        say("")
    say(f"{counted(tally.entries, 'entry', 'entries')} of the history; {tally}")


def _report(tally: LeftTally, *, is_dry_run: bool, as_json: bool) -> None:
    """Print the result. Raises Failure if the history contradicts held mail."""
    if as_json:
        show_json(
            {
                "entries": tally.entries,
                "outcomes": dict(tally.outcomes),
                "messages": tally.messages,
                "doubtful": tally.doubtful,
                "deleted": tally.deleted,
                "missing": tally.missing,
            }
        )
    elif is_dry_run:
        say("nothing was deleted")
    else:
        say(f"{counted(tally.deleted, 'message')} deleted, for the recipients that left")
    if tally.missing:
        gone = counted(len(tally.missing), "message")
        have = agreeing(len(tally.missing), "has", "have")
        complain(f"{_COMMAND}: {gone} {have} changed meanwhile; to continue, run it again")
    if tally.doubtful:
        remedy = "it stays; look at it with `restante queue show`"
        raise Failure(
            Exit.DATA,
            *(f"message {one['name']}: {one['text']}; {remedy}" for one in tally.doubtful),
        )
