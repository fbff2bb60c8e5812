"""The help of the program: commands by task, and an example of each command."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from typer.core import TyperGroup

TASKS: Final[Mapping[str, Sequence[str]]] = {
    "to set up and run the server": (
        "setup",
        "init",
        "serve",
        "config",
        "key",
        "completion",
        "files",
        "version",
    ),
    "to see what the server does": ("status", "top", "trace", "trace-session", "audit"),
    "for held mail": ("release", "queue", "drain", "report", "etrn", "drill"),
    "for customers": ("account", "login", "token", "user", "notice", "privacy"),
    "for domains": ("domain", "recipient", "change", "apply", "export-config"),
    "for the store": ("store", "node"),
}
_WIDTH: Final = 74  # of an example, on a terminal of 80 columns
# By the command, in the order of the help: the arguments of its most common use. A group shows the
# first of its commands. A message name and an id are such as the server gives.
_ARGUMENTS: Final[Mapping[str, str]] = {
    "setup": "--domain acme.example --destination mail.acme.example",
    "init": "--dir /etc/restante --hostname mx2.example.net",
    "serve": "--config /etc/restante/restante.toml",
    "status": "acme.example",
    "top": "--once",
    "release": "acme.example --wait",
    "drill": "acme.example",
    "trace": "--from 'anna@*' --domain acme.example",
    "trace-session": "--source 192.0.2.0/24 --for 5m",
    "audit": "--domain acme.example --limit 20",
    "apply": "customers.toml --dry-run",
    "export-config": "--account acme",
    "etrn": "mx2.example.net acme.example --login acme-mail --password-file FILE",
    "completion": "bash",
    "files": "restante.service",
    "version": "",
    "account add": "acme --note 'Acme Ltd' --quota 10G",
    "account list": "",
    "account show": "acme",
    "account set": "acme --quota 20G",
    "account remove": "acme --reason 'contract ended'",
    "account usage": "acme --since 2025-07",
    "login add": "acme acme-mail --generate",
    "login list": "acme",
    "login set": "acme acme-mail --rotate --generate",
    "login show": "acme acme-mail",
    "login remove": "acme acme-mail --reason 'server replaced'",
    "login certificate": "acme acme-mail --add acme-mail.pem",
    "token add": "acme shop --role account-operator --expires 90d",
    "token list": "acme",
    "token revoke": "k3v9x2m7qd --reason 'laptop stolen'",
    "token made": "k3v9x2m7qd",
    "user invite": "anna@acme.example --role account-reader --account acme",
    "user link": "anna@acme.example",
    "user list": "acme",
    "user set": "anna@acme.example --role account-admin",
    "user remove": "anna@acme.example --reason 'left the company'",
    "domain add": "acme.example --account acme --destination mail.acme.example --allow 192.0.2.25",
    "domain list": "--account acme",
    "domain show": "acme.example",
    "domain set": "acme.example --destination mail2.acme.example:2525",
    "domain remove": "acme.example --reason 'moved away'",
    "domain check": "acme.example",
    "domain snippet": "acme.example --for postfix",
    "domain uptime": "acme.example --since 7d",
    "domain held": "acme.example --since 7d",
    "domain dns": "acme.example",
    "change list": "--account acme",
    "change cancel": "7 --reason 'not asked for by Acme'",
    "change apply": "7 --reason 'confirmed by telephone'",
    "recipient add": "acme.example anna bert@acme.example 'sales-*'",
    "recipient remove": "acme.example anna",
    "recipient replace": "acme.example --file recipients.txt",
    "recipient list": "acme.example",
    "queue list": "acme.example --older 2d",
    "queue show": "1k1e60zmfj0",
    "queue delete": "1k1e60zmfj0 --reason 'unwanted by Acme'",
    "queue bounce": "1k1e60zmfj0 --reason 'mailbox removed'",
    "queue release": "--domain acme.example --status refused",
    "queue export": "/root/acme --domain acme.example",
    "queue import": "acme.mbox --domain acme.example",
    "drain list": "--past --since 1d",
    "drain stop": "acme.example --reason maintenance",
    "report list": "--domain acme.example",
    "report show": "12",
    "report drop": "12 13 --reason 'forged sender'",
    "notice add": "acme-ops --account acme --webhook https://hooks.acme.example/mail",
    "notice set": "acme-ops --account acme --only primary-away --reason 'fewer notices'",
    "notice list": "--account acme",
    "notice remove": "acme-ops --account acme --reason 'not read'",
    "notice test": "acme-ops --account acme",
    "notice show-waiting": "--account acme",
    "notice log": "acme-ops --account acme",
    "notice resend": "acme-ops 8d1f5c30a97e4b2680c1d3f4e5a6b7c8 --account acme",
    "store check": "",
    "store backup": "/var/backups/restante",
    "store salvage": "/var/lib/restante/salvaged",
    "store upgrade": "--dry-run",
    "store move": "--from sqlite:///var/lib/restante --to postgresql://db1.example.net/restante",
    "node list": "",
    "node retire": "mx3.example.net:1 --reason 'less traffic'",
    "node remove": "mx3.example.net:1 --reason 'machine removed'",
    "key show": "",
    "key confirm-copied": "/root/copy-of-restante.key",
    "key rotate": "",
    "privacy export": "anna@acme.example --reason 'Anna asked for it'",
    "privacy erase": "anna@acme.example --dry-run",
    "config check": "",
    "config show": "",
}


def example_of(path: str) -> str:
    """Return an example of a command, such as "queue list", or of the first one of a group.

    A long one has several lines, which a shell takes as one.
    """
    found = path if path in _ARGUMENTS else _first_of(path)
    return _in_lines(f"restante {found} {_ARGUMENTS[found]}".rstrip())


def _first_of(group: str) -> str:
    return next(path for path in _ARGUMENTS if path.startswith(f"{group} "))


def _in_lines(example: str) -> str:
    """Fold an example before the last options that do not fit."""
    lines = [example]
    while len(lines[-1]) > _WIDTH:
        place = lines[-1].rindex(" --", 0, _WIDTH)
        lines[-1:] = [f"{lines[-1][:place]} \\", f"    {lines[-1][place + 1 :]}"]
    return "\n".join(lines)


class CommandsByTask(TyperGroup):
    """The program's commands. Their help has a section for each task."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  inherited
        """Write the sections, each with its commands and their summaries."""
        for task, names in TASKS.items():
            rows = [(name, self.commands[name].short_help or "") for name in names]
            with formatter.section(f"Commands {task}"):
                formatter.write_dl(rows)
