"""`restante status`: held mail by domain, running drains, open listeners."""

from restante.cli.display import (
    Row,
    human_size,
    number_column,
    say,
    show_json,
    show_table,
    size_column,
    text_column,
    time_column,
)
from restante.cli.exchange import ask
from restante.cli.options import ConfigFile, Json

DOMAINS = (
    text_column("DOMAIN", "domain"),
    text_column("ACCOUNT", "account"),
    number_column("MESSAGES", "messages"),
    size_column("SIZE", "octets"),
    number_column("REFUSED", "refused"),
    time_column("OLDEST", "oldest_at"),
    time_column("LAST ASKED FOR", "last_request_at"),
    text_column("DESTINATION", "destination"),
)
DRAINS = (
    text_column("DRAIN", "domain"),
    text_column("STATE", "state"),
    time_column("SINCE", "started_at"),
    number_column("DELIVERED", "delivered"),
    number_column("DEFERRED", "deferred"),
    number_column("REFUSED", "refused"),
    number_column("CONNECTIONS", "connections"),
    time_column("NEXT ATTEMPT", "next_attempt_at"),
    text_column("LAST ERROR", "last_error"),
)
LISTENERS = (
    text_column("LISTENER", "service"),
    text_column("ADDRESS", "address"),
    text_column("TLS FROM", "tls_minimum"),
    number_column("SESSIONS", "sessions"),
)


def status(*, as_json: Json = False, config: ConfigFile = None) -> None:
    """Show held mail by domain, running drains and listeners."""
    view = ask(config, "GET", "/v1/status")
    if as_json:
        show_json(view)
    else:
        _show(view)


def _show(view: Row) -> None:
    running = "running" if view["is_running"] else "no server is running, so no drains and no listeners"
    say(f"{view['hostname']}, restante {view['version']}: {running}")
    held = view["messages"] - view["refused"]
    say(
        f"{held} {'message' if held == 1 else 'messages'} held, {view['refused']} refused, {human_size(view['octets'])}"
    )
    for title, columns in (("domains", DOMAINS), ("drains", DRAINS), ("listeners", LISTENERS)):
        if view[title]:
            say("")
            show_table(view[title], columns)
