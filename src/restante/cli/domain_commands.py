"""`restante domain`: hosted domains, their destinations and authorized hosts."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from restante.cli.api_client import ask, segment
from restante.cli.change_commands import changed_text
from restante.cli.display import (
    Column,
    JsonObject,
    destination_words,
    human_time,
    number_column,
    say,
    set_apart_columns,
    show_added,
    show_changed,
    show_json,
    show_listing,
    show_record,
    size_column,
    text_column,
    time_column,
)
from restante.cli.domain_options import (
    DestinationOption,
    DomainAccountOption,
    reason_and_policy,
    with_domain_changes,
    with_new_domain,
)
from restante.cli.failures import warn
from restante.cli.options import (
    ConfigOption,
    DomainArgument,
    JsonOption,
    ReasonOption,
)
from restante.cli.policy_options import HOLD_COLUMN, policy_fields, with_policy
from restante.cli.times import last_drain_text, primary_fields

group = typer.Typer(name="domain", help="Hosted domains, their destinations and authorized hosts.")


def _authorities(row: JsonObject) -> str:
    return "PEM text" if "-----BEGIN" in row["tls_ca"] else str(row["tls_ca"])


COLUMNS = (
    text_column("DOMAIN", "name"),
    text_column("ACCOUNT", "account"),
    Column("DESTINATION", destination_words),
    text_column("TLS", "tls"),
    HOLD_COLUMN,
    number_column("MESSAGES", "messages"),
    size_column("SIZE", "octets"),
    number_column("REFUSED", "refused"),
)
DETAILS = (
    *(column for column in COLUMNS if column is not HOLD_COLUMN),
    number_column("UNCERTAIN", "uncertain"),
    number_column("DAMAGED", "damaged"),
    number_column("DEFERRED BY POLICY", "deferred_by_policy"),
    Column("TLS AUTHORITIES", _authorities),
    text_column("DESTINATION SET BY", "destination_set_by"),
    Column("PRIVATE DESTINATION", lambda row: "allow" if row["private_destination"] else ""),
    text_column("TLS PINS", "tls_pins"),
    text_column("DESTINATION LOGIN", "destination_login"),
    number_column("CONNECTIONS", "connections"),
    number_column("PER MINUTE", "per_minute"),
    text_column("CLIENT ADDRESS", "client_address"),
    text_column("AUTHORIZED HOSTS", "allow"),
    time_column("ADDED", "created_at"),
)


@group.command("add")
@with_policy
@with_new_domain
def add(
    name: DomainArgument,
    *,
    account: DomainAccountOption,
    destination: DestinationOption,
    fields: JsonObject,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    policy: Mapping[str, Any],
) -> None:
    """Add a hosted domain. From then on its mail is accepted and held."""
    reason, chosen = reason_and_policy(policy)
    body = {"name": name, "account": account, "destination": destination, **fields, **chosen}
    done = ask(config, "POST", "/v1/domains", params={"reason": reason}, body=body)
    warn(done["warnings"])
    if "pin_now" in fields and not as_json:
        _say_pin(done["domain"])
    thing = f"domain {done['domain']['name']}"
    show_added(thing, done["domain"], done["changes"], as_json=as_json)


@group.command("list")
def list_all(
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this account.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List hosted domains."""
    domains = ask(config, "GET", "/v1/domains", params={"account": account, "limit": 500})
    show_listing(
        domains,
        [*COLUMNS, *set_apart_columns(domains)],
        as_json=as_json,
        thing="domain",
    )


@group.command("show")
def show(name: DomainArgument, *, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show one domain with all its settings."""
    domain = ask(config, "GET", f"/v1/domains/{segment(name)}")
    past = ask(config, "GET", "/v1/drains/last", params={"domain": name})
    waiting = ask(config, "GET", "/v1/changes", params={"domain": name})
    if as_json:
        show_json(domain | {"last_drain": past[0] if past else None, "waiting_changes": waiting})
        return
    last = [("last drain", last_drain_text(drain, time.time())) for drain in past] or [
        ("last drain", "none yet")
    ]
    facts = [(column.title.lower(), column.cell(domain)) for column in DETAILS]
    waits = [("waiting change", _waiting_text(row)) for row in waiting]
    if domain["proof_record"]:
        waits.append(("proof record", _proof_text(domain)))
    show_record([*facts, *waits, *primary_fields(domain["primary"]), *last, *policy_fields(domain)])


def _proof_text(domain: JsonObject) -> str:
    proven_at = domain["proven_at"]
    state = f"found {human_time(proven_at)}" if proven_at else "not found yet, so mail gets 451"
    return f"{domain['proof_record']} ({state})"


def _waiting_text(row: JsonObject) -> str:
    when = human_time(row["applies_at"])
    return f"{row['id']}, applied at {when}: {changed_text(row)}, asked for by {row['asked_by']}"


@group.command("set")
@with_policy
@with_domain_changes
def change(
    name: DomainArgument,
    *,
    fields: JsonObject,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    policy: Mapping[str, Any],
) -> None:
    """Change the given settings of a domain.

    --allow replaces the whole list. A running drain of the domain uses the new settings.
    """
    reason, chosen = reason_and_policy(policy)
    fields = {**fields, **chosen}
    if not fields:
        raise typer.BadParameter("nothing to change: give at least one option")
    done = ask(
        config, "PATCH", f"/v1/domains/{segment(name)}", params={"reason": reason}, body=fields
    )
    warn(done["warnings"])
    if "pin_now" in fields and not as_json:
        _say_pin(done["domain"])
    thing = f"domain {done['domain']['name']}"
    show_changed(thing, done["domain"], done["changes"], as_json=as_json)


@group.command("remove")
def remove(name: DomainArgument, reason: ReasonOption, config: ConfigOption = None) -> None:
    """Remove a domain that holds no mail. From then on its mail is refused."""
    ask(config, "DELETE", f"/v1/domains/{segment(name)}", params={"reason": reason})
    say(f"domain {name} removed")


def _say_pin(domain: Mapping[str, Any]) -> None:
    """Show the pinned key, and a command to compare it."""
    [pin] = domain["tls_pins"]
    say(f"pinned the key of {domain['destination']}: SHA-256 {pin}")
    say(
        "compare it on the primary: openssl x509 -in CERT -pubkey -noout | openssl pkey -pubin"
        " -outform DER | sha256sum"
    )
