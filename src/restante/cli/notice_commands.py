"""`restante notice`: channels for notices about held mail. A secret is never an argument."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    changed_document,
    say,
    say_added,
    say_changed,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.domain_options import without_none
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    OptionalReasonOption,
    ReasonOption,
    RowsOption,
    with_options,
)
from restante.phrases import NOT_HOSTED
from restante.tenancy.notice import NoticeKind

group = typer.Typer(
    name="notice",
    help="Channels for notices about held mail: webhook, mail or Apprise.",
)

_ONE_TRANSPORT = "give one of --webhook, --mail and --apprise"

ChannelArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The channel's name, unique within its account."),
]
ChannelAccountOption = Annotated[
    str,
    typer.Option(
        "--account",
        metavar="NAME",
        help="The channel's account. Default: the operator.",
    ),
]
WebhookOption = Annotated[
    str | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        help="Post JSON to this URL; - reads it from standard input, so that a token stays secret.",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="Sign with the key in this file (whsec_…). Default: a new key.",
    ),
]
MailOption = Annotated[
    str | None,
    typer.Option(
        "--mail",
        metavar="ADDRESS",
        help=f"Send mail to this address, in a domain that {NOT_HOSTED}.",
    ),
]
AppriseOption = Annotated[
    str | None,
    typer.Option(
        "--apprise",
        metavar="URL",
        help="Send by the optional package Apprise; - reads the URL from standard input.",
    ),
]
AccountsOption = Annotated[
    bool,
    typer.Option(
        "--all-accounts",
        help="For the operator: include the notices of all accounts.",
    ),
]
InsecureOption = Annotated[
    bool,
    typer.Option(
        "--insecure", help="Allow http:// to another host. Notices can then be read in transit."
    ),
]
OnlyAccountOption = Annotated[
    str | None, typer.Option("--account", metavar="NAME", help="Only this account.")
]


def _hears(row: JsonObject) -> str:
    kinds = "all" if row["is_every_kind"] else ",".join(row["kinds"])
    return kinds + (" (of all accounts)" if row["all_accounts"] else "")


COLUMNS = (
    text_column("NAME", "name"),
    Column("ACCOUNT", lambda row: row["account"] or "(the operator's)"),
    text_column("BY", "transport"),
    text_column("TO", "target"),
    time_column("ADDED", "created_at"),
    Column("HEARS", _hears, is_detail=True),
)
WAITING = (
    time_column("AT", "at"),
    text_column("CHANNEL", "channel"),
    Column("ACCOUNT", lambda row: row["account"] or "(the operator's)"),
    text_column("KIND", "kind"),
    Column("FAILED", lambda row: row["failures"], is_number=True),
    time_column("NEXT", "next_attempt_at"),
    text_column("ABOUT", "about", is_detail=True),
    text_column("WHY", "reply", is_detail=True),
)


@dataclass(frozen=True)
class _WebhookKey:
    """The key for the signatures of a webhook, if one is given."""

    text: str | None
    is_new: bool = False  # shown once

    @property
    def field(self) -> dict[str, str]:
        return {} if self.text is None else {"key": self.text}

    @property
    def shown_once(self) -> dict[str, str]:
        """The field of JSON for a new key."""
        return self.field if self.is_new else {}


class _WantedChannel(NamedTuple):
    """The fields of a channel as the API takes them, and its key."""

    fields: JsonObject
    key: _WebhookKey


_NEW: Final[Mapping[str, Any]] = {
    "webhook": WebhookOption,
    "key_file": KeyFileOption,
    "mail": MailOption,
    "apprise": AppriseOption,
    "kind": Annotated[
        list[NoticeKind] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="Only notices of this kind; repeatable. Default: every kind.",
        ),
    ],
    "all_accounts": AccountsOption,
    "insecure": InsecureOption,
}
_CHANGES: Final[Mapping[str, Any]] = {
    "webhook": WebhookOption,
    "key_file": KeyFileOption,
    "is_key_new": Annotated[
        bool,
        typer.Option("--new-key", help="Sign with a new key from now on, which is printed once."),
    ],
    "mail": MailOption,
    "apprise": AppriseOption,
    "kind": Annotated[
        list[NoticeKind] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="Only notices of this kind; repeatable.",
        ),
    ],
    "every_kind": Annotated[
        bool, typer.Option("--every-kind", help="Send notices of every kind again.")
    ],
    "all_accounts": Annotated[
        bool | None,
        typer.Option(
            "--all-accounts/--no-all-accounts",
            help="For the operator: include the notices of all accounts, or not.",
        ),
    ],
    "insecure": InsecureOption,
}


def _added(given: Mapping[str, Any]) -> _WantedChannel:
    """Return the fields of a new channel. Raises typer.BadParameter."""
    target = _target(given)
    if not target:
        raise typer.BadParameter(_ONE_TRANSPORT)
    key = _key(given["key_file"], is_new=given["webhook"] is not None and given["key_file"] is None)
    names = {"kinds": "kind", "all_accounts": "all_accounts", "insecure": "insecure"}
    fields = {name: given[option] for name, option in names.items() if given[option]}
    return _WantedChannel({**target, **key.field, **fields}, key)


def _changed(given: Mapping[str, Any]) -> _WantedChannel:
    """Return the changes of a channel. Raises typer.BadParameter."""
    kind, every_kind = given["kind"], given["every_kind"]
    if kind and every_kind:
        raise typer.BadParameter("give --only or --every-kind")
    if given["key_file"] is not None and given["is_key_new"]:
        raise typer.BadParameter("give --new-key or --key-file")
    target, key = _target(given), _key(given["key_file"], is_new=given["is_key_new"])
    kinds: JsonObject = {"kinds": kind or []} if kind or every_kind else {}
    fields = {name: given[name] for name in ("all_accounts", "insecure")}
    return _WantedChannel(without_none(**kinds, **target, **key.field, **fields), key)


def _with_new_channel(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of a new channel."""
    return with_options(command, "wanted", _NEW, _added)


def _with_changes(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of a channel's changes."""
    return with_options(command, "wanted", _CHANGES, _changed)


@group.command("add")
@_with_new_channel
def add(
    name: ChannelArgument,
    *,
    account: ChannelAccountOption = "",
    wanted: _WantedChannel,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a channel for notices. A new key of a webhook is printed once."""
    body = {"name": name, "account": account, **wanted.fields}
    added = ask(config, "POST", "/v1/notices/channels", params={"reason": reason}, body=body)
    if as_json:
        show_json(changed_document(added, added["changes"], **wanted.key.shown_once))
    elif wanted.key.is_new:
        _say_done(f"notice channel {name} added", wanted.key)
    else:
        say_added(f"notice channel {name}", added["changes"])


@group.command("set")
@_with_changes
def change(
    name: ChannelArgument,
    *,
    reason: ReasonOption,
    account: ChannelAccountOption = "",
    wanted: _WantedChannel,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Change the given settings of a channel.

    Waiting notices stay and are sent at once with the new settings.
    """
    params = {"account": account, "reason": reason}
    done = ask(
        config,
        "PATCH",
        f"/v1/notices/channels/{segment(name)}",
        params=params,
        body=wanted.fields,
    )
    if as_json:
        show_json(changed_document(done, done["changes"], **wanted.key.shown_once))
    elif wanted.key.is_new:
        _say_done(f"notice channel {name} changed", wanted.key)
    else:
        say_changed(f"notice channel {name}", done["changes"])


@group.command("list")
def list_all(
    *, account: OnlyAccountOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List channels. Secret parts of a URL are not shown."""
    rows = ask(config, "GET", "/v1/notices/channels", params={"account": account})
    show_listing(rows, COLUMNS, as_json=as_json, thing="notice channel")


@group.command("remove")
def remove(
    name: ChannelArgument,
    reason: ReasonOption,
    account: ChannelAccountOption = "",
    config: ConfigOption = None,
) -> None:
    """Remove a channel and its waiting notices."""
    params = {"account": account, "reason": reason}
    ask(config, "DELETE", f"/v1/notices/channels/{segment(name)}", params=params)
    say(f"notice channel {name} removed")


@group.command("test")
def try_out(
    name: ChannelArgument,
    *,
    account: ChannelAccountOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Send one test notice by a channel now and show the result."""
    outcome = ask(
        config, "POST", f"/v1/notices/channels/{segment(name)}/test", params={"account": account}
    )
    if as_json:
        show_json(outcome)
    elif outcome["is_sent"]:
        say(f"notice channel {name}: sent: {outcome['text']}")
    if not outcome["is_sent"]:
        remedy = "check that its receiver can be reached, or change it with `notice set`"
        raise Failure(
            Exit.UNAVAILABLE, f"notice channel {name}: not sent: {outcome['text']}; {remedy}"
        )


@group.command("show-waiting")
def show_waiting(
    *,
    account: OnlyAccountOption = None,
    limit: RowsOption = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the notices that wait to be sent, oldest first, and the last error of each."""
    rows = ask(config, "GET", "/v1/notices/waiting", params={"account": account}, most=limit)
    show_listing(rows, WAITING, as_json=as_json, thing="notice waits", things="notices wait")


def _key(file: Path | None, *, is_new: bool) -> _WebhookKey:
    if not is_new:
        return _WebhookKey(_read_key(file))
    from restante.notices.webhook_signature import new_signing_key  # noqa: PLC0415  if wanted

    return _WebhookKey(new_signing_key(), is_new=True)


def _read_key(file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Failure(
            Exit.NO_INPUT, f"{file}: {error.strerror}; name a file with the key"
        ) from None
    except UnicodeDecodeError:
        raise Failure(Exit.DATA, f"{file}: is not ASCII; write whsec_ and base64") from None


def _say_done(text: str, key: _WebhookKey) -> None:
    if key.is_new:
        complain(f"{text}; the key to verify its signatures is shown only once")
        say(str(key.text))
    else:
        say(text)


def _target(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the target by its transport, or nothing if none is given."""
    transports = {transport: options[transport] for transport in ("webhook", "mail", "apprise")}
    given = {transport: target for transport, target in transports.items() if target is not None}
    if len(given) > 1:
        raise typer.BadParameter(_ONE_TRANSPORT)
    return {
        transport: _line_of_stdin(transport) if target == "-" else target
        for transport, target in given.items()
    }


def _line_of_stdin(transport: str) -> str:
    line = sys.stdin.readline().strip()
    if not line:
        raise Failure(
            Exit.USAGE,
            f"{transport}: nothing came on standard input; write the URL there, on one line",
        )
    return line
