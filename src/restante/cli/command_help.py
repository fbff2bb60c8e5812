"""The help of the whole program: commands by task, and an example of each."""

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
EXAMPLES: Final[Mapping[str, str]] = {
    "account": "restante account add acme",
    "apply": "restante apply customers.toml --dry-run",
    "audit": "restante audit --domain acme.example --limit 20",
    "change": "restante change list --account acme",
    "completion": "restante completion bash",
    "config": "restante config check",
    "domain": "restante domain check acme.example",
    "drain": "restante drain stop acme.example",
    "drill": "restante drill acme.example",
    "etrn": "restante etrn mx2.example.net acme.example --login acme-mail --password-file FILE",
    "export-config": "restante export-config --account acme",
    "files": "restante files restante.service",
    "init": "restante init --dir /etc/restante --hostname mx2.example.net",
    "key": "restante key confirm-copied",
    "login": "restante login add acme acme-mail --generate",
    "node": "restante node list",
    "notice": "restante notice test hook --account acme",
    "privacy": "restante privacy export anna@acme.example --reason 'Anna asked for it'",
    "queue": "restante queue list acme.example --older 2d",
    "recipient": "restante recipient add acme.example anna@acme.example",
    "release": "restante release acme.example --wait",
    "report": "restante report list --domain acme.example",
    "serve": "restante serve --config /etc/restante/restante.toml",
    "setup": "restante setup --domain acme.example --destination mail.acme.example",
    "status": "restante status acme.example",
    "store": "restante store backup /var/backups/restante",
    "token": "restante token add acme shop --role account-admin",
    "top": "restante top --once",
    "trace": "restante trace --from 'anna@*' --domain acme.example",
    "trace-session": "restante trace-session --source 192.0.2.0/24 --for 5m",
    "user": "restante user invite anna@acme.example --role account-reader --account acme",
    "version": "restante version",
}


class CommandsByTask(TyperGroup):
    """The program's commands. Their help has a section for each task."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  inherited
        """Write the sections, each with its commands and their summaries."""
        for task, names in TASKS.items():
            rows = [(name, self.commands[name].short_help or "") for name in names]
            with formatter.section(f"Commands {task}"):
                formatter.write_dl(rows)
