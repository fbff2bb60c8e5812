"""Which module has which command. A module is imported when its command is wanted.

All modules together take three times as long as one.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import typer
import typer.main


class CommandPlace(NamedTuple):
    """Where a command is: a module of this package, and a function or a group there."""

    module: str
    attribute: str = "group"


COMMANDS: Final[Mapping[str, CommandPlace]] = {  # in the order of the help
    "setup": CommandPlace("setup_command", "setup"),
    "init": CommandPlace("init_command", "init"),
    "serve": CommandPlace("serve_command", "serve"),
    "status": CommandPlace("status_command", "status"),
    "top": CommandPlace("top", "top"),
    "release": CommandPlace("release_command", "release"),
    "drill": CommandPlace("drill_command", "drill"),
    "trace": CommandPlace("trace_command", "trace"),
    "trace-session": CommandPlace("trace_session_command", "trace_session"),
    "audit": CommandPlace("audit_commands", "audit"),
    "apply": CommandPlace("apply_command", "apply"),
    "export-config": CommandPlace("export_config_command", "export_config"),
    "etrn": CommandPlace("etrn_command", "etrn"),
    "completion": CommandPlace("completion_command", "completion"),
    "files": CommandPlace("files_command", "files"),
    "account": CommandPlace("account_commands"),
    "login": CommandPlace("login_commands"),
    "token": CommandPlace("token_commands"),
    "user": CommandPlace("user_commands"),
    "domain": CommandPlace("domain_commands"),
    "change": CommandPlace("change_commands"),
    "recipient": CommandPlace("recipient_commands"),
    "queue": CommandPlace("queue_commands"),
    "drain": CommandPlace("drain_commands"),
    "report": CommandPlace("report_commands"),
    "notice": CommandPlace("notice_commands"),
    "store": CommandPlace("store_commands"),
    "node": CommandPlace("node_commands"),
    "key": CommandPlace("key_commands"),
    "privacy": CommandPlace("privacy_commands"),
    "config": CommandPlace("config_commands"),
}
# Commands of a group that have a module of their own. They follow those in the group's module.
_APART: Final[Mapping[str, Mapping[str, CommandPlace]]] = {
    "account": {"usage": CommandPlace("account_use_command", "show_usage")},
    "login": {"certificate": CommandPlace("login_certificate_command", "certificate")},
    "domain": {
        "check": CommandPlace("domain_check_command", "check_domain"),
        "snippet": CommandPlace("domain_snippet_command", "show_snippet"),
        "uptime": CommandPlace("uptime_command", "show_uptime"),
        "held": CommandPlace("held_command", "show_held"),
        "dns": CommandPlace("domain_dns_command", "show_dns"),
    },
    "queue": {
        "delete": CommandPlace("queue_changes", "delete"),
        "bounce": CommandPlace("queue_changes", "bounce"),
        "release": CommandPlace("queue_changes", "release"),
        "export": CommandPlace("queue_export_command", "export"),
        "import": CommandPlace("queue_import_command", "import_mail"),
    },
    "notice": {
        "log": CommandPlace("notice_log_commands", "show_log"),
        "resend": CommandPlace("notice_log_commands", "send_again"),
    },
    "store": {"move": CommandPlace("store_move_command", "move")},
}
_NONE: Final[Mapping[str, CommandPlace]] = MappingProxyType({})
_WITH_A_VALUE: Final = ("--config", "--socket")  # options before the command


class NamedCommand(NamedTuple):
    """The command that arguments name, and the word behind it."""

    name: str
    following: str = ""


def named_command(arguments: Sequence[str]) -> NamedCommand | None:
    """Return the command that these arguments name; None if they name none, as for help."""
    rest = iter(arguments)
    for argument in rest:
        if argument in _WITH_A_VALUE:
            next(rest, None)
        elif argument in COMMANDS:
            return NamedCommand(argument, next(rest, ""))
        elif not argument.startswith("-"):
            break
    return None


def load_commands(app: typer.Typer, named: NamedCommand | None = None) -> None:
    """Add the named command to the application; all commands if none is named."""
    for name in COMMANDS if named is None else [named.name]:
        found = _load(COMMANDS[name])
        if isinstance(found, typer.Typer):
            app.add_typer(_whole(found, name, named.following if named else ""))
        else:
            app.command()(found)


def _whole(group: typer.Typer, name: str, following: str) -> typer.Typer:
    """Return a group with those of its commands that `following` can mean."""
    whole = copy.copy(group)
    whole.registered_commands = [*group.registered_commands]
    for other, place in _meant(group, _APART.get(name, _NONE), following):
        whole.command(other)(_load(place))
    return whole


def _meant(
    group: typer.Typer, apart: Mapping[str, CommandPlace], following: str
) -> Iterable[tuple[str, CommandPlace]]:
    if following in apart:
        return [(following, apart[following])]
    if following in {command.name for command in group.registered_commands}:
        return []
    return apart.items()  # help, or a mistake


def _load(place: CommandPlace) -> Any:
    return getattr(import_module(f"restante.cli.{place.module}"), place.attribute)
