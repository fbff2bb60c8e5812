"""`restante queue export`: write held and refused mail, with envelopes, in common formats."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from restante.cli.api_client import ApiClient, connected
from restante.cli.display import human_size, say, show_json
from restante.cli.export_formats import ExportWriter, open_export
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.progress import Advance, progress
from restante.cli.queue_selection import (
    SelectionOptions,
    count_matching,
    with_selection,
)
from restante.mail.import_stream import StreamEnd, StreamLabel, StreamUnpacker
from restante.mail.quantity import counted


@dataclass(slots=True)
class ExportTally:
    """The messages written."""

    messages: int = 0
    octets: int = 0
    damaged: list[str] = field(default_factory=list)


@with_selection
def export(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="PLACE",
            help="A directory, empty or new. For mbox: a new file.",
        ),
    ],
    *,
    style: Annotated[
        Literal["eml", "maildir", "mbox"],
        typer.Option("--format", help="One file for each message, a Maildir, or one mbox."),
    ] = "eml",
    selection: SelectionOptions,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Reason for the audit trail.")
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Write held and refused mail to files, with envelopes. It stays in the queue.

    Every message is verified. Damaged messages are listed and left out, and the exit code is then
    65. Without a running server the command becomes the server's user, who must be allowed to
    write to PLACE.
    """
    tally = asyncio.run(_export(config, selection, reason, style, place))
    os.sync()  # the operator may delete the exported messages from the queue next
    if as_json:
        show_json({"messages": tally.messages, "octets": tally.octets, "damaged": tally.damaged})
    else:
        say(f"{place}: {counted(tally.messages, 'message')}, {human_size(tally.octets)}")
    return Exit.DATA if tally.damaged else Exit.DONE


async def _export(
    config: Path | None, selection: SelectionOptions, reason: str, style: str, place: Path
) -> ExportTally:
    async with connected(
        config, is_streaming=True
    ) as api:  # first, as it may change the user of the process
        expected = await count_matching(api, selection)
        writer = open_export(style, place)
        is_complete = False
        try:
            with progress("exporting", len(expected.names)) as advance:
                tally = await _write(
                    api, {"selection": selection.params, "reason": reason}, writer, advance
                )
            is_complete = True
        except OSError as error:
            text = (
                f"queue export: {error.filename or place}: {error.strerror}; the queue is unchanged"
            )
            raise Failure(Exit.CANNOT_CREATE, text) from None
        finally:
            writer.close(is_complete=is_complete)
    return tally


async def _write(
    api: ApiClient, order: dict[str, Any], writer: ExportWriter, advance: Advance
) -> ExportTally:
    """Write the stream of messages. Raises Failure if it is cut off."""
    tally = ExportTally()
    unpacker = StreamUnpacker()
    name, octets = "", 0
    stream: AsyncIterator[bytes] = api.receive("POST", "/v1/queue/export", body=order)
    async for data in stream:
        for piece in unpacker.receive(data):
            match piece:
                case StreamLabel(facts):
                    writer.begin(facts)
                    name, octets = facts["name"], 0
                case StreamEnd(failure):
                    _end(tally, writer, name, octets, failure)
                    advance(1)
                case bytes():
                    writer.write(piece)
                    octets += len(piece)
    try:
        unpacker.close()
    except ValueError:
        text = (
            "queue export: the server stopped within a message; earlier ones are complete; export"
            " again"
        )
        raise Failure(Exit.TRY_LATER, text) from None
    return tally


def _end(tally: ExportTally, writer: ExportWriter, name: str, octets: int, failure: str) -> None:
    if failure:
        writer.drop()
        tally.damaged.append(name)
        complain(f"message {name}: {failure}; it was left out")
        return
    writer.end()
    tally.messages += 1
    tally.octets += octets
