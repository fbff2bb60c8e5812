"""`restante node`: the servers that share a store on PostgreSQL."""

from typing import Annotated, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    number_column,
    say,
    show_json,
    show_listing,
    text_column,
)
from restante.cli.options import ConfigOption, JsonOption, ReasonOption
from restante.cli.times import span

group = typer.Typer(name="node", help="Servers that share a store on PostgreSQL.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Node, as in `node list`.")]


@group.command("list")
def list_nodes(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the servers that share the store, their heartbeats, drains and duties.

    A store on SQLite has one server and no nodes.
    """
    show_listing(ask(config, "GET", "/v1/nodes"), NODES, as_json=as_json, thing="node")


@group.command("retire")
def retire(
    name: NameArgument,
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Ask a server to stop, as SIGTERM does.

    It gives back its drains and duties, and others go on with them. Its exit code is 0.
    """
    node = ask(config, "POST", f"/v1/nodes/{segment(name)}/retire", body={"reason": reason})
    _tell(node, "was asked to stop", as_json=as_json)


@group.command("remove")
def remove(
    name: NameArgument,
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Forget a server that does not answer any more.

    Without this command, it leaves the list when another server takes its place.
    """
    node = ask(config, "POST", f"/v1/nodes/{segment(name)}/remove", body={"reason": reason})
    _tell(node, "was removed", as_json=as_json)


def _tell(node: JsonObject, done: str, *, as_json: bool) -> None:
    if as_json:
        show_json(node)
    else:
        say(f"node {node['name']}: {done}")


def _beat(node: JsonObject) -> str:
    return f"{span(node['beat_seconds'])} ago"


def _lease(node: JsonObject) -> str:
    return span(node["lease_seconds"]) if node["lease_seconds"] > 0 else "over"


def _duties(node: JsonObject) -> str:
    return ", ".join(node["duties"])


NODES: Final = (
    text_column("NODE", "name"),
    text_column("STATE", "state"),
    text_column("VERSION", "version"),
    Column("BEAT", _beat),
    Column("LEASE", _lease),
    number_column("DRAINS", "drains"),
    Column("DUTIES", _duties),
)
