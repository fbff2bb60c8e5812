"""`restante status`: held mail by domain, what waits to be told, running drains, open listeners."""

from collections.abc import Sequence

from restante.cli.display import (
    Column,
    Row,
    human_size,
    number_column,
    say,
    show_json,
    show_table,
    size_column,
    text_column,
)
from restante.cli.exchange import ask
from restante.cli.options import ConfigFile, Json
from restante.cli.times import ago, error_text, last_drain_text, primary_text, span, unix_time, until
from restante.mail.quantity import agreeing, counted

LISTENERS = (
    text_column("LISTENER", "service"),
    text_column("ADDRESS", "address"),
    text_column("TLS FROM", "tls_minimum"),
    number_column("SESSIONS", "sessions"),
)


def status(*, as_json: Json = False, config: ConfigFile = None) -> None:
    """Show held mail by domain, reports and notices that wait to be sent, running drains and listeners."""
    view = ask(config, "GET", "/v1/status")
    if as_json:
        show_json(view)
    else:
        _show(view)


def _show(view: Row) -> None:
    running = "running" if view["is_running"] else "no server is running, so no drains and no listeners"
    say(f"{view['hostname']}, restante {view['version']}: {running}")
    held = view["messages"] - view["refused"]
    say(f"{counted(held, 'message')} held, {view['refused']} refused, {human_size(view['octets'])}")
    if damaged := view["store"]["damaged_messages"]:
        say(f"{counted(damaged, 'message is', 'messages are')} damaged: `restante queue list --status refused`")
    now = unix_time(view["at"])
    _show_backlog(view["reports"], now, "report to a sender waits", "reports to senders wait")
    _show_backlog(view["notices"], now, "notice waits", "notices wait")
    _show_configuration(view["configuration"], now)
    _show_states(view["domains"], now)
    for title, columns in (("domains", _domains(view, now)), ("drains", _drains(now)), ("listeners", LISTENERS)):
        if view[title]:
            say("")
            show_table(view[title], columns)


def _show_backlog(backlog: Row, now: float, waits: str, wait: str) -> None:
    """Say what waits to be sent, and for how long; nothing where nothing does."""
    if backlog["waiting"]:
        since = f"{agreeing(backlog['waiting'], 'for', 'the oldest for')} {span(ago(backlog['oldest_at'], now))}"
        say(f"{counted(backlog['waiting'], waits, wait)} to be sent, {since}")


def _show_states(domains: Sequence[Row], now: float) -> None:
    """Say of each domain that it is suspended, and how its last drain went if it left mail here."""
    for domain in domains:
        if domain["hold"] == "suspended":
            say(f"{domain['domain']} is suspended: {domain['suspended_for']}")
        if domain["last_drain"] is not None and domain["last_drain"]["end"] != "finished" and domain["messages"]:
            say(f"{domain['domain']}: last drain {last_drain_text(domain['last_drain'], now)}")


def _show_configuration(configuration: Row | None, now: float) -> None:
    """Say whether the last reload failed and what waits for a restart; nothing where all is well."""
    if configuration is None:
        return
    if configuration["reload_failed_at"]:
        since = span(ago(configuration["reload_failed_at"], now))
        why = "; ".join(configuration["reload_failure"].splitlines())
        say(f"the last reload failed {since} ago and changed nothing: {why}")
    if configuration["restart_for"]:
        say(f"a restart is needed for {', '.join(configuration['restart_for'])}")


def _domains(view: Row, now: float) -> list[Column]:
    """Return the columns of the domains: times as spans, or a screen could not hold them; --json has them whole."""
    columns = [
        text_column("DOMAIN", "domain"),
        text_column("ACCOUNT", "account"),
        number_column("MESSAGES", "messages"),
        size_column("SIZE", "octets"),
        number_column("REFUSED", "refused"),
        _ago("OLDEST", "oldest_at", now),
        _ago("ASKED FOR", "last_request_at", now),
        text_column("DESTINATION", "destination", is_detail=True),
    ]
    if any(domain["primary"]["next_probe_at"] for domain in view["domains"]):
        columns.append(Column("PRIMARY", lambda domain: primary_text(domain["primary"], now)))
    return columns


def _drains(now: float) -> list[Column]:
    return [
        text_column("DRAIN", "domain"),
        text_column("STATE", "state"),
        _ago("FOR", "started_at", now),
        number_column("DELIVERED", "delivered"),
        number_column("DEFERRED", "deferred"),
        number_column("REFUSED", "refused"),
        number_column("CONN", "connections"),
        Column("RETRY IN", lambda drain: until(drain["next_attempt_at"], now), is_number=True),
        Column("LAST ERROR", error_text, is_detail=True),
    ]


def _ago(title: str, key: str, now: float) -> Column:
    return Column(title, lambda row: span(ago(row[key], now)), is_number=True)
