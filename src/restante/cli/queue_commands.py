"""`restante queue`: held and refused messages. Content is shown only on request."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from restante.cli.api_client import ask, connected, segment
from restante.cli.display import (
    Column,
    JsonObject,
    host_name_words,
    human_size,
    human_time,
    paths_text,
    say,
    screen_width,
    show_json,
    show_listing,
    show_record,
    size_column,
    status_of_mail,
    text_column,
    time_column,
)
from restante.cli.failures import Exit, Failure, complain, printable
from restante.cli.options import ConfigOption, JsonOption, RowsOption
from restante.cli.queue_selection import (
    SelectionOptions,
    with_selection,
)
from restante.cli.table import INDENT, fold
from restante.cli.times import last_drain_text, unix_time
from restante.mail.encoded_words import decoded
from restante.mail.quantity import counted
from restante.phrases import suspended

group = typer.Typer(name="queue", help="Messages: held, refused, uncertain and damaged.")

MAX_STATES: Final = 10  # domains whose state stands below a listing
MAX_REASON: Final = 200  # characters in a listing; `queue show` has the whole text


def _reason(row: JsonObject) -> str:
    """Return the destination's last reply to the first recipient that has one."""
    reply = next((recipient["reply"] for recipient in row["recipients"] if recipient["reply"]), "")
    return reply if len(reply) <= MAX_REASON else f"{reply[:MAX_REASON]}…"


COLUMNS = (
    text_column("NAME", "name"),
    time_column("RECEIVED", "received_at"),
    size_column("SIZE", "size"),
    Column("STATUS", status_of_mail),
    text_column("DOMAIN", "domain"),
    Column("FROM", lambda row: f"<{row['reverse_path']}>"),
    Column(
        "TO", lambda row: paths_text([recipient["forward_path"] for recipient in row["recipients"]])
    ),
    Column("REASON", _reason, is_detail=True),
)


@group.command("list")
@with_selection
def list_all(
    domain_name: Annotated[
        str | None, typer.Argument(metavar="DOMAIN", help="Only this domain's mail.")
    ] = None,
    *,
    selection: SelectionOptions,
    limit: RowsOption = 1000,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List messages, oldest first."""
    selection = replace(selection, domain=_one_domain(domain_name, selection.domain))
    messages = ask(config, "GET", "/v1/queue", params=selection.params, most=limit)
    show_listing(messages, COLUMNS, as_json=as_json, thing="message")
    domains = {selection.domain} if selection.domain else {row["domain"] for row in messages}
    if domains and not as_json:
        _show_states(config, sorted(domains))
    if len(messages) == limit:
        shown = counted(limit, "message is", "messages are")
        complain(f"queue: {shown} shown, there may be more; raise --limit")


def _one_domain(named: str | None, option: str | None) -> str | None:
    """Return the domain of the argument or of --domain. Raises Failure if they differ."""
    if named and option and named != option:
        text = f"queue list: {named} and --domain {option}: only one domain can be selected"
        raise Failure(Exit.USAGE, f"{text}; name one, or none for all")
    return named or option


def _show_states(config: ConfigOption, names: Sequence[str]) -> None:
    """Print which domains are suspended, and the result of their last drains."""
    if len(names) > MAX_STATES:
        say(f"of {counted(len(names), 'domain')}; `restante status` shows their last drains")
        return
    view = ask(config, "GET", "/v1/status", params={"domain": names})
    for domain in view["domains"]:
        if domain["hold"] == "suspended":
            say(suspended(domain["domain"], domain["suspended_for"]))
        if drain := domain["last_drain"]:
            text = f"{domain['domain']}: last drain {last_drain_text(drain, unix_time(view['at']))}"
            for line in fold(printable(text), screen_width(), "", INDENT):
                say(line)


@group.command("show")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The message by its name in `queue list`.")
    ],
    *,
    is_raw: Annotated[
        bool,
        typer.Option("--raw", help="Write the unchanged content. The audit trail records this."),
    ] = False,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="TEXT", help="Reason for reading the content, for the audit trail."
        ),
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show a message's envelope and headers, and the state of each recipient.

    A recipient's state includes the destination's last reply. Content is shown only with --raw. If
    the message is damaged on disk, the envelope is shown and the exit code is 65.
    """
    if is_raw:
        _write_content(config, name, reason)
        return Exit.DONE
    message = ask(config, "GET", f"/v1/queue/{segment(name)}")
    if as_json:
        show_json(message)
    else:
        _show_message(message)
    return Exit.DATA if message["damage"] else Exit.DONE


def _write_content(config: Path | None, name: str, reason: str) -> None:
    """Write content to standard output.

    Raises Failure if that is a terminal, because a stranger's content could control it.
    """
    if sys.stdout.isatty():
        remedy = "send it to a file, or through less or cat -v"
        raise Failure(
            Exit.USAGE,
            f"queue show: raw content can control a terminal; {remedy}",
        )

    import asyncio  # noqa: PLC0415  heavy

    async def write() -> None:
        async with connected(config, is_streaming=True) as api:
            path = f"/v1/queue/{segment(name)}/content"
            async for block in api.receive("GET", path, params={"reason": reason}):
                sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()

    asyncio.run(write())


def _show_message(message: JsonObject) -> None:
    show_record(
        [
            ("name", message["name"]),
            ("domain", message["domain"]),
            ("received", human_time(message["received_at"])),
            ("size", human_size(message["size"])),
            ("message-id", message["message_id"] or "none, or not known"),
            *_origin(message["origin"]),
            ("reverse-path", f"<{message['reverse_path']}>"),
            ("8bit", _yes_or_no(message["is_8bit"])),
            ("smtputf8", _yes_or_no(message["needs_smtputf8"])),
            ("reports", _reports(message)),
            *_by_policy(message),
            *(
                ("recipient", _recipient(recipient, message["dsn"]))
                for recipient in message["recipients"]
            ),
        ]
    )
    say("")
    for header in message["headers"]:
        say(f"{header['name']}: {decoded(header['value'])}")
    if message["damage"]:
        remedy = "a backup may have an undamaged copy (docs/how-to/back-up-and-restore.md)"
        complain(f"message {message['name']}: {message['damage']}; {remedy}")


def _origin(origin: JsonObject | None) -> list[tuple[str, str]]:
    """Return the session that a message came through."""
    if origin is None:
        return [("origin", "not known")]
    port = f" port {origin['port']}" if origin["port"] else ""
    return [
        ("origin", f"[{origin['address']}]{port}"),
        ("host-name", host_name_words(origin)),
        ("hello", origin["hello"] or "none"),
        ("tls", origin["tls"] or "none"),
        *(("check", f"{name}: {text}") for name, text in origin["verdicts"].items()),
    ]


def _by_policy(message: JsonObject) -> list[tuple[str, str]]:
    """Return in how many drains a policy of the destination deferred a message, and its reply."""
    drains = message["policy_deferrals"]
    if not drains:
        return []
    replies = [one["reply"] for one in message["recipients"] if one["reply"].startswith("4")]
    reply = f": {replies[0]}" if replies else ""
    return [("deferred", f"by a policy of the destination in {counted(drains, 'drain')}{reply}")]


def _reports(message: JsonObject) -> str:
    """Return the sender's request for reports, and whether reports may be sent."""
    asked = message["dsn"] or {}
    texts = [f"{name.upper()}={asked[name]}" for name in ("ret", "envid") if asked.get(name)]
    if message["is_suspect"]:
        texts.append("none: the reverse-path may be forged")
    if message["is_delay_told"]:
        texts.append("delay report sent")
    return ", ".join(texts) or (
        "not known" if message["is_delay_told"] is None else "as by default"
    )


def _yes_or_no(is_so: bool | None) -> str:  # noqa: FBT001  a value of the API
    return "not known" if is_so is None else "yes" if is_so else "no"


def _recipient(recipient: JsonObject, dsn: JsonObject | None) -> str:
    reply = f": {recipient['reply']}" if recipient["reply"] else ""
    asked = (dsn or {}).get("recipients", {}).get(recipient["forward_path"], {})
    wishes = "".join(
        f" {name.upper()}={asked[name]}" for name in ("notify", "orcpt") if asked.get(name)
    )
    times, tried_at = recipient["attempts"], recipient["tried_at"]
    last = f", the last {human_time(tried_at)}" if tried_at else ""
    tries = f" ({counted(times, 'attempt')}{last})" if times else ""
    return f"<{recipient['forward_path']}>{wishes} {recipient['status']}{tries}{reply}"
