"""Write docs/reference from the code: commands, settings, events, audit actions, replies, metrics.

python docs/generate.py            writes the files
python docs/generate.py --check    exits with 1 if one of them is out of date

An item without a description in the code stops it, so nothing can be added without a description
(tests/test_docs.py).
"""

# ruff: noqa: INP001  a script next to its output, no package

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from restante.admin.configuration_entries import MODELS
from restante.admin.permissions import GRANTED, AdminAction
from restante.cli.command_help import example_of
from restante.cli.command_line import build_command
from restante.cli.failures import Exit
from restante.config.one_or_more import ONE_OR_MORE
from restante.config.schema import Config
from restante.config.setting_places import key_name, variable_name
from restante.notices.notice_language import KIND_MEANINGS
from restante.smtp import replies
from restante.smtp.replies import Reply
from restante.telemetry.domain_metrics import DOMAIN_METRICS, DomainMetric
from restante.telemetry.event_fields import FIELDS, example
from restante.telemetry.events import EVENTS, Event
from restante.telemetry.log_writer import SCHEMA_VERSION, json_line
from restante.telemetry.metric_types import Metric, MetricKind, MetricLabel
from restante.telemetry.metrics import METRICS
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER, NoticeKind
from restante.web.api.api_application import published_schema
from restante_client.client_arguments import build_parser
from restante_client.client_failure import ClientExit

REFERENCE = Path(__file__).parent / "reference"
ALERTS = Path(__file__).parents[1] / "contrib" / "prometheus" / "alerts.yml"
NOTE = "<!-- Written by docs/generate.py from the code: change it there. -->"

AUDIT_MEANINGS = {
    AuditAction.RELEASE_REQUESTED: "A domain's mail was requested: by ETRN, `restante release`, the"
    " API or the portal.",
    AuditAction.TURNAROUND_REQUESTED: "A login asked by ATRN for mail on its own connection.",
    AuditAction.DRAIN_STOPPED: "A drain was stopped; the rest of its mail stays held.",
    AuditAction.REPORTS_DROPPED: "Reports to senders about the named messages were dropped without"
    " being sent.",
    AuditAction.ACCOUNT_ADDED: "An account was added.",
    AuditAction.ACCOUNT_CHANGED: "An account's note or settings were changed.",
    AuditAction.ACCOUNT_REMOVED: "An account was removed.",
    AuditAction.LOGIN_ADDED: "A login was added.",
    AuditAction.LOGIN_CHANGED: "A login's password, its end, or its permission to use CRAM-MD5"
    " was changed, or the old password of a rotation ended.",
    AuditAction.LOGIN_REMOVED: "A login was removed.",
    AuditAction.LOGIN_REFUSED: "A client had the right password of a login that has expired. At"
    " most one entry an hour for each login.",
    AuditAction.USER_INVITED: "A user of the portal was invited, with this role.",
    AuditAction.USER_ADDED: "A person signed in at the provider of OpenID Connect for the first"
    " time, and is a user of the portal now.",
    AuditAction.USER_CHANGED: "A portal user's rights, password or second factor were changed.",
    AuditAction.USER_REMOVED: "A user of the portal was removed, or lost an account with it.",
    AuditAction.PORTAL_LINK_MADE: "A one-time link was made that opens a session of a portal user.",
    AuditAction.SIGNED_IN: "A user signed in to the portal.",
    AuditAction.SIGN_IN_REFUSED: "A password or code for the portal was refused. In a flood, only"
    " some of them have an entry.",
    AuditAction.FACTOR_SHOWN: "A user showed a factor again, for a critical action.",
    AuditAction.SESSION_ENDED: "A user ended sessions of the portal. The reason says which.",
    AuditAction.TOKEN_ADDED: "A token of the API was added, with these roles and scopes.",
    AuditAction.TOKEN_REVOKED: "A token of the API was revoked.",
    AuditAction.DOMAIN_ADDED: "A hosted domain was added.",
    AuditAction.DOMAIN_CHANGED: "A domain's account, destination or authorized hosts were changed.",
    AuditAction.DOMAIN_REMOVED: "A hosted domain was removed.",
    AuditAction.DOMAIN_DRILLED: "A drill of a domain passed or failed, or the header of its message"
    " was read back; the reason says which.",
    AuditAction.CHANGE_SCHEDULED: "An account asked for another destination or other authorized"
    " hosts. The change waits for its time.",
    AuditAction.CHANGE_CANCELLED: "A waiting change of a domain was cancelled.",
    AuditAction.CHANGE_APPLIED: "A waiting change of a domain was applied, at its time or by an"
    " operator before it. The reason names its maker.",
    AuditAction.CHANGE_DROPPED: "A waiting change of a domain was dropped at its time. The reason"
    " says why it could not be applied.",
    AuditAction.RECIPIENTS_CHANGED: "A domain's list of recipients was changed; the reason says by"
    " how many.",
    AuditAction.MAIL_DELETED: "Messages were deleted; the subject is their names.",
    AuditAction.MAIL_EXPIRED: "Mail was deleted because its retention was over; the subject is the"
    " names of the messages.",
    AuditAction.MAIL_BOUNCED: "Messages were deleted, and their senders told; the subject is their"
    " names.",
    AuditAction.MAIL_HELD_AGAIN: "Refused, uncertain or damaged messages were held again; the"
    " subject is their names.",
    AuditAction.SESSIONS_TRACED: "SMTP sessions of clients were traced as they happened; the"
    " subject is the address or network of the clients.",
    AuditAction.STORE_MOVED: "All of the store was moved here from another one, which the reason"
    " names.",
    AuditAction.NODE_RETIRED: "A server of a shared store was asked to stop; the subject is its"
    " name.",
    AuditAction.NODE_REMOVED: "A silent server of a shared store was removed; the subject is its"
    " name.",
    AuditAction.SECRETS_EXPORTED: "Sealed secrets of records were exported; the subject is the"
    " account.",
    AuditAction.PERSON_EXPORTED: "The data of a person was exported; the entry does not have"
    " the address.",
    AuditAction.PERSON_ERASED: "The data of a person was erased. The subject is the mark"
    " that stands for the address. The changes are the places and numbers of rows.",
    AuditAction.CONTENT_READ: "A message's content was shown; the subject is its name.",
    AuditAction.MAIL_EXPORTED: "Messages were exported with their content; the subject is their"
    " names.",
    AuditAction.MAIL_IMPORTED: "Messages were imported and are held; the subject is their names.",
    AuditAction.CHANNEL_ADDED: "A channel of notices was added; the reason has its type and"
    " target.",
    AuditAction.CHANNEL_CHANGED: "A channel of notices was changed; the reason has the changed"
    " fields, but neither the key nor the whole URL.",
    AuditAction.CHANNEL_REMOVED: "A channel of notices was removed, with its waiting notices.",
}

EXIT_MEANINGS = {
    Exit.DONE: "done",
    Exit.USAGE: "the command line is wrong",
    Exit.DATA: "a value is not acceptable, or other records forbid it",
    Exit.NO_INPUT: "a named file or record does not exist",
    Exit.UNAVAILABLE: "no server is running, or it cannot be reached or used",
    Exit.CANNOT_CREATE: "the file or record exists already",
    Exit.TRY_LATER: "not possible now; try again later",
    Exit.NOT_ALLOWED: "not allowed, or wrong user name or password",
    Exit.CONFIGURATION: "the configuration must be corrected",
    Exit.STOPPED: "you stopped the command, or answered no",
}


CLIENT_EXIT_MEANINGS = {
    ClientExit.DONE: "done; also if no mail was held",
    ClientExit.CHECK_FAILS: "a row of `doctor` fails",
    ClientExit.USAGE: "the command line is wrong",
    ClientExit.DATA: "the server does not accept a value, or a suspension must end first",
    ClientExit.NO_INPUT: "a named file does not exist or cannot be used",
    ClientExit.UNAVAILABLE: "the server cannot be found, trusted or used, or the local mail"
    " server refused messages",
    ClientExit.SOFTWARE: "a fault of the program; please report the line that it prints",
    ClientExit.TRY_LATER: "not possible now, no connection, or mail is left; try again later",
    ClientExit.NOT_ALLOWED: "not allowed, or wrong user name, password or token",
    ClientExit.STOPPED: "you stopped the command",
}


class Undocumented(Exception):  # noqa: N818
    """Something has no description. The text names it."""


def pages() -> Mapping[str, str]:
    """Return each page's name and text. Raises Undocumented."""
    return {
        "client.md": _page(_client()),
        "commands.md": _page(_commands()),
        "configuration.md": _page(_configuration()),
        "events.md": _page(_events()),
        "metrics.md": _page(_metrics()),
        "records.md": _page(_records()),
        "rights.md": _page(_rights()),
        "openapi.json": published_schema(),
    }


def _page(lines: Iterator[str]) -> str:
    return "\n".join([NOTE, "", *lines]).rstrip() + "\n"


def described(thing: str, text: str | None) -> str:
    """Return a description as a cell of a table. Raises Undocumented if there is none."""
    if not text or not text.strip():
        raise Undocumented(f"{thing} has no description; write one where it is defined")
    return _cell(text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield "| " + " | ".join(titles) + " |"
        yield "|" + "---|" * len(titles)
        yield from ("| " + " | ".join(row) + " |" for row in rows)
        yield ""


# Rights


def _rights() -> Iterator[str]:
    yield from (
        "# Rights of tokens and portal users",
        "",
        "A token has a role, or scopes, or both, and the rights of all of them. An account's token",
        "has access to its account only, and a token with domains to these domains only. A token",
        "never has more rights than the token or portal user that made it.",
        "",
        "## Roles",
        "",
        "No role may read the content of mail; that needs the scope `content:read`. A portal user",
        "has one role, and can have `content:read` and `domain:direct` in addition.",
        "",
    )
    yield from _table(["role", "for", "may"], [_right(role) for role in GrantedRole])
    yield from ("## Scopes", "")
    yield from _table(["scope", "for", "may"], [_right(scope) for scope in Scope])


def _right(grant: Grant) -> list[str]:
    if grant.is_of_operators:
        holders = "operators"
    else:
        holders = "accounts" if isinstance(grant, GrantedRole) else "accounts, operators"
    actions = [action for action in AdminAction if action in GRANTED[grant]]
    return [f"`{grant}`", holders, ", ".join(action.text for action in actions)]


# Commands


def _commands() -> Iterator[str]:
    yield from (
        "# Commands",
        "",
        "Every command takes `--help`. An error is one line on standard error: the thing, the",
    )
    yield from ("cause and the remedy.", "")
    command = _root()
    for path, leaf in _leaves("restante", command):
        yield from _command(path, leaf)
    yield from ("## Exit codes", "")
    yield from _table(
        ["code", "meaning"], [[str(code.value), EXIT_MEANINGS[code]] for code in Exit]
    )


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, groups by name."""
    for name in sorted(command.commands):
        inner = command.commands[name]
        if hasattr(inner, "commands"):
            yield from _leaves(f"{path} {name}", inner)
        else:
            yield f"{path} {name}", inner


def _command(path: str, command: Any) -> Iterator[str]:
    if not command.help:
        raise Undocumented(f"command {path} has no description; write its docstring")
    yield from (
        f"## {path}",
        "",
        *(" ".join(part.split()) + "\n" for part in command.help.split("\n\n")),
    )
    yield from ("```sh", example_of(path.removeprefix("restante ")), "```", "")
    rows = [_parameter(path, parameter) for parameter in command.params if parameter.name != "help"]
    yield from _table(["", "", "meaning"], rows)


def _parameter(path: str, parameter: Any) -> Sequence[str]:
    several = "…" if parameter.nargs == -1 or parameter.multiple else ""
    spelled = parameter.metavar if parameter.param_type_name == "argument" else _option(parameter)
    need = "required" if parameter.required else _default(parameter)
    return f"`{spelled}{several}`", need, described(f"{path} {spelled}", parameter.help)


@cache
def _root() -> Any:
    """Return the whole command line. Building it takes a tenth of a second, so it is kept."""
    return build_command()


def _option(parameter: Any) -> str:
    """Spell names and value as help does, without the brackets that versions of typer change."""
    spelled: str = parameter.get_help_record(typer.Context(_root()))[0]
    return spelled.translate(dict.fromkeys(map(ord, "<>[]"))).replace("|", "\\|")


def _default(parameter: Any) -> str:
    default = parameter.default
    return (
        f"default {default}"
        if isinstance(default, int | float | str) and default and default is not True
        else ""
    )


# The client


def _client() -> Iterator[str]:
    yield from (
        "# restante-client",
        "",
        "The program of customers. It needs Python 3.8 or later, and nothing else. An error is one",
        "line on standard error: the thing, the cause and the remedy. A span is a number with `s`,",
        "`m` or `h`.",
        "",
    )
    [verbs] = [
        action
        for action in build_parser()._actions  # noqa: SLF001  argparse has no other way
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    for name, verb in verbs.choices.items():
        yield from (f"## restante-client {name}", "", verb.description, "")
        parameters = [one for one in verb._actions if one.dest != "help"]  # noqa: SLF001
        rows = [_argument(f"{verb.prog} {one.dest}", one) for one in parameters]
        yield from _table(["", "meaning"], rows)
    yield from ("## Exit codes of restante-client", "")
    yield from _table(
        ["code", "meaning"], [[str(code.value), CLIENT_EXIT_MEANINGS[code]] for code in ClientExit]
    )


def _argument(thing: str, action: argparse.Action) -> Sequence[str]:
    spelled = ", ".join(action.option_strings) or str(action.metavar)
    if action.option_strings and action.nargs != 0:
        value = action.metavar or " \\| ".join(action.choices or [])
        spelled = f"{spelled} {value}"
    several = "…" if action.nargs in ("+", "*") else ""
    return f"`{spelled}{several}`", described(thing, action.help)


# Records of a file for `apply`

# The command whose options have the names of the fields, and the fields that are of files alone.
_RECORDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "account": (
        "account add",
        {
            "change_lock": "true: refuse changes of destinations and authorized hosts by the"
            " account.",
            "report_details": "true: quote the primary in reports of success and delay.",
        },
    ),
    "login": (
        "login set",
        {
            "account": "The account of the login.",
            "password": "Without it, a new login without certificates gets a generated one; others"
            " keep their own.",
            "certificates": "List of PEM texts: client certificates that prove the login on ODMR"
            " listeners.",
            "expires_at": "The time or day from which it is refused, or never.",
            "password_file": "File with the password on its first line.",
            "sealed": "Credentials in an export, encrypted with the key file.",
        },
    ),
    "domain": (
        "domain add",
        {
            "name": "The domain.",
            "reason": "Reason of the suspension.",
            "until": "End of the suspension: a time, or a day. A past one counts as no suspension.",
            "force_until": "End of force_accept: a time, or a day.",
            "per_minute": "Maximum of messages a minute, or none.",
            "tls_pins": "List of public keys of the destination, as for --tls-pin.",
            "allow": "List of addresses, networks and host names that may request the mail.",
            "destination_password": "Password for the login at the destination.",
            "destination_password_file": "File with that password on its first line.",
            "destination_set_by": "The account that chose the destination; only for operators.",
            "private_destination": "Whether an account's choice may have a private address.",
            "destination_sealed": "That password in an export, encrypted with the key file.",
            "hold_otherwise": "With hold = suspended: the mode after the suspension.",
            "addresses": "List of recipients, as of `restante recipient`. Not given: it stays.",
            "addresses_file": "File with one address a line; # begins a comment.",
        },
    ),
    "channel": (
        "notice add",
        {
            "webhook": "URL that gets JSON.",
            "apprise": "URL for the optional package Apprise.",
            "kinds": "List of the kinds of notices. Default: every kind.",
            "key": "Key that signs a webhook. Without it, one is generated for a new webhook.",
            "key_file": "File with that key.",
            "webhook_file": "File with the URL of the webhook.",
            "apprise_file": "File with the URL for Apprise.",
            "transport": "With sealed, or for a channel that exists: webhook, mail or apprise.",
            "target": "With sealed: the visible part of the target.",
            "sealed": "URL and key in an export, encrypted with the key file.",
        },
    ),
}
_NOT_IN_FILES = {"place", "pin_now"}


def _records() -> Iterator[str]:
    yield from (
        "# Records in a file for apply",
        "",
        "`restante apply` takes TOML with a table for each record, such as `[[domain]]`. JSON has",
        "lists of the same names. A field that is not given is unchanged; with `--prune` it has",
        "its default. [How to use it](../how-to/onboard-many-customers.md).",
        "",
    )
    for thing, (command, own) in _RECORDS.items():
        helps = dict(_helps(command)) | own
        names = [name for name in MODELS[thing].model_fields if name not in _NOT_IN_FILES]
        names = list(dict.fromkeys([*_first_fields(thing), *names, *own]))
        yield from (f"## `[[{thing}]]`", "")
        rows = [[f"`{name}`", described(f"{thing} {name}", helps.get(name))] for name in names]
        yield from _table(["field", "meaning"], rows)
    yield from ("## CSV", "")
    yield from (
        "A line is a domain. The first line names `account`, `domain`, and any fields of",
        "`[[domain]]` but `name`. Lists are separated by spaces. Other columns: `login` (user",
        "names of the account), `password` or `password_file` of a single login, and `note` of",
        "the account.",
        "",
        "A spreadsheet computes cells that begin with `=`, `+`, `-` or `@`. So `export-config`",
        "and `account usage` write an apostrophe in front of them, and `apply` removes it. A",
        "password is read as it is.",
    )


def _first_fields(thing: str) -> Sequence[str]:
    return ("user", "account") if thing == "login" else ("name",)


def _helps(command: str) -> Iterator[tuple[str, str]]:
    found = _root()
    for word in command.split():
        found = found.commands[word]
    for parameter in found.params:
        yield parameter.name, parameter.help or ""


# Configuration


def _configuration() -> Iterator[str]:
    yield from ("# Configuration", "")
    yield from (
        "The file is TOML. The first of these is read: `--config`, `$RESTANTE_CONFIG`,",
        "`./restante.toml`, `/etc/restante/restante.toml`. A `./restante.toml` that another user",
        "can change is refused. Relative paths start at the file's directory.",
        "An environment variable, named in the last column, overrides a key; lists and tables are",
        "JSON there.",
        "",
    )
    yield from _section("Top level", Config, ())


def _section(title: str, section: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    inner: list[tuple[str, type[BaseModel], tuple[str, ...]]] = []
    rows: list[Sequence[str]] = []
    for name, field in section.model_fields.items():
        within = _section_within(field.annotation)
        if within is None:
            rows.append(_setting((*path, name), field))
        else:
            described(f"setting {key_name((*path, name))}", field.description)
            table = key_name((*path, name))
            is_list = get_origin(field.annotation) is tuple
            inner.append((f"`[[{table}]]`" if is_list else f"`[{table}]`", within, (*path, name)))
    yield from (f"## {title}", "")
    yield from _table(["key", "value", "default", "meaning", "variable"], rows)
    for subtitle, within, place in inner:
        yield from _section(subtitle, within, place)


def _section_within(annotation: Any) -> type[BaseModel] | None:
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _setting(location: tuple[str, ...], field: FieldInfo) -> Sequence[str]:
    text = described(f"setting {key_name(location)}", field.description)
    whole = next((one for one in _WHOLE if location[: len(one)] == one), None)
    variable = f"`{variable_name(whole or location)}`" + (", whole" if whole else "")
    return (
        f"`{location[-1]}`",
        _kind(field),
        _default_of(field),
        text,
        variable,
    )


def _kind(field: FieldInfo) -> str:
    bounds = [
        f"{name} {getattr(each, key)}"
        for each in field.metadata
        for key, name in _BOUNDS
        if hasattr(each, key)
    ]
    name = _type_name(field.annotation)
    if ONE_OR_MORE in field.metadata:
        name = f"{_type_name(get_args(field.annotation)[0])} or list"
    return _cell(", ".join([name, *bounds]))


# Lists of tables, which a variable sets as a whole.
_WHOLE = (("listen",), ("oidc", "roles"), ("tls", "names"))
_BOUNDS = (("ge", "from"), ("gt", "above"), ("le", "up to"), ("lt", "below"))
_TYPE_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
}


def _type_name(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f'"{value}"' for value in get_args(annotation))
    if origin in (Union, UnionType):
        return _type_name(next(part for part in get_args(annotation) if part is not type(None)))
    if origin is tuple:
        return "list"
    if origin is Annotated:
        return _type_name(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f'"{one.value}"' for one in annotation)
    return _TYPE_NAMES[annotation]


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default is None:
        return ""
    return f"`{json.dumps(field.default, default=str)}`"


# Events, audit actions, replies


def _events() -> Iterator[str]:
    yield from ("# Events, notices, audit trail, replies", "")
    yield from _event_lines()
    yield from ("## Notices", "", "The kinds for `restante notice add --only`.", "")
    yield from _table(
        ["kind", "told to", "meaning"],
        [
            [f"`{kind}`", _hearers(kind), described(f"notice {kind}", KIND_MEANINGS.get(kind))]
            for kind in NoticeKind
        ],
    )
    yield from (
        "## Audit trail",
        "",
        "The actions that `restante audit` shows. Each entry has the true reason, also where the",
        "reply did not give it.",
        "",
    )
    rows = [
        [f"`{each}`", described(f"audit action {each}", AUDIT_MEANINGS.get(each))]
        for each in AuditAction
    ]
    yield from _table(["action", "meaning"], rows)
    yield from (
        "## Replies",
        "",
        "All replies of the server in SMTP. After 4xx, the client should try again later.",
        "",
    )
    known = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}
    ordered = sorted(known.items(), key=lambda item: (item[1].code, item[1].status, item[0]))
    yield from _table(
        ["code", "status", "text"],
        [[str(each.code), each.status, _cell(each.text)] for _, each in ordered],
    )


def _event_lines() -> Iterator[str]:
    yield from (
        "## Events",
        "",
        "Every line of the log is one of these events. If `log.style` is",
    )
    yield from ("`json`, each line is one JSON object that begins with these fields:", "")
    yield from _table(
        ["field", "type", "meaning"],
        [
            ["`v`", "whole number", f"The version of this schema: {SCHEMA_VERSION}."],
            ["`timestamp`", "text", "The time, in UTC."],
            ["`worker`", "number", "The worker that wrote the line, if there are several."],
            ["`level`", "text", "`info`, `warning` or `error`."],
            ["`event`", "text", "The name of the event."],
        ],
    )
    yield from (
        "Addresses and replies are shortened for accounts whose history is not `full`",
        "([how far](../how-to/find-a-message.md)).",
        "",
    )
    yield from ("The version grows when a field is removed or changes its meaning. New fields and",)
    yield from ("events do not change it. An optional field is absent where it does not apply.", "")
    yield from _table(
        ["event", "meaning"],
        [
            [f"[`{kind.event}`](#{kind.event})", described(f"event {kind.event}", kind.__doc__)]
            for kind in EVENTS
        ],
    )
    for kind in EVENTS:
        yield from (f"### {kind.event}", "")
        yield from _table(
            ["field", "type", "meaning"], [_event_field(each) for each in fields(kind)]
        )
        yield from ("```json", *_example_line(kind), "```", "")


def _event_field(field: Field[Any]) -> Sequence[str]:
    meaning = FIELDS.get(field.name)
    text = described(f"event field {field.name}", meaning and meaning.meaning)
    optional = ", optional" if field.default is None else ""
    return f"`{field.name}`", f"{_event_type(field.type)}{optional}", text


def _event_type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return _event_type(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f"`{word}`" for word in annotation)
    return {tuple[str, ...]: "list of texts", BaseException: "text"}.get(annotation) or _TYPE_NAMES[
        annotation
    ]


_EXAMPLE_COLUMNS = 96


def _example_line(kind: type[Event]) -> Iterator[str]:
    line = json.loads(json_line(example(kind), "2027-01-15T08:00:00.000000Z"))
    if "exception" in line:
        line["exception"] = "Traceback …"
    pairs = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in line.items()]
    text = ""
    for pair in pairs:  # breaks between fields only, so that it stays JSON
        if len(text) + len(pair) > _EXAMPLE_COLUMNS:
            yield f"{text},"
            text = pair
        else:
            text = f"{text}, {pair}" if text else f"{{{pair}"
    yield f"{text}}}"


def _hearers(kind: NoticeKind) -> str:
    if kind in OF_THE_SERVER:
        return "the operator"
    return (
        "its account, and the operator with `--all-accounts`"
        if kind in OF_ACCOUNTS
        else "everybody"
    )


# Metrics


def _metrics() -> Iterator[str]:
    yield from ("# Metrics", "")
    yield from (
        "`GET /metrics` shows all of these, on the control socket and at the address in",
        "`telemetry.metrics`. The format is the text of Prometheus, or OpenMetrics if the Accept",
        "header asks for it. Counters begin at 0 when the process starts. No label has an account,",
        "login or address in it. To use them, see",
        "[monitor Restante](../how-to/watch-a-server.md).",
        "",
    )
    yield from _table(
        ["metric", "kind", "labels", "meaning"], [_metric(metric) for metric in METRICS]
    )
    yield from (
        "## Single domains",
        "",
        "Each has the label `domain`. By default, the 200 domains with the most held mail have",
        "metrics of their own ([`metrics.domains`](configuration.md)). All others are summed as",
        '`domain="(other)"`. A domain keeps its own metrics until another one holds half as much',
        "mail again. While a domain has none of its own, its events count for",
        '`domain="(other)"`.',
        "",
    )
    yield from _table(
        ["metric", "kind", "labels", "meaning"], [_metric(metric) for metric in DOMAIN_METRICS]
    )
    yield from ("## Recommended alerts", "", "From `contrib/prometheus/alerts.yml`:", "", "```yaml")
    yield from ALERTS.read_text(encoding="utf-8").splitlines()
    yield "```"


def _metric(metric: Metric | DomainMetric) -> Sequence[str]:
    labels = "; ".join(_label(label) for label in metric.labels)
    meaning = described(f"metric {metric.name}", metric.meaning)
    return f"`{shown_name(metric)}`", str(metric.kind), labels, meaning


def shown_name(metric: Metric | DomainMetric) -> str:
    """Return the name that the text and queries use."""
    endings = {MetricKind.COUNTER: "_total", MetricKind.INFO: "_info", MetricKind.GAUGE: ""}
    return metric.name + endings[metric.kind]


def _label(label: MetricLabel) -> str:
    if label.values == tuple(kind.event for kind in EVENTS):
        return f"`{label.name}`: each of [the events](events.md)"
    return f"`{label.name}`: {', '.join(label.values)}" if label.values else f"`{label.name}`"


def main() -> int:
    """Write or check; returns the exit code."""
    stale = {name: text for name, text in pages().items() if _differs(REFERENCE / name, text)}
    if "--check" in sys.argv[1:]:
        sys.stderr.writelines(
            f"docs/reference/{name}: out of date; run docs/generate.py\n" for name in stale
        )
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name, text in stale.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    return 0


def _differs(file: Path, text: str) -> bool:
    return not file.exists() or file.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main())
