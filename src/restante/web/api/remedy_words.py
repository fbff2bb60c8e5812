"""Problems in the words of the API: fields and routes instead of options and commands. Pure.

Functions of `admin` write for the command line. It sends its requests to the same API, and says so
in User-Agent; every other client gets the words of the API.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

COMMAND_LINE: Final = "restante-cli"  # in User-Agent

_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")  # not within a name, such as xn--…
_COMMAND: Final = re.compile(r"`restante ([a-z]+(?: [a-z-]+)?)((?: [^`]*)?)`")
# The same without quotes, in the health: plugins of monitoring systems remove them.
_BARE: Final = re.compile(
    r"(?<!`)\brestante (queue list|notice show-waiting)((?: --[a-z-]+ [a-z-]+)*)"
)
_STOP: Final = re.compile(r"\brestante drain stop (\S+)")
_FIELDS: Final[Mapping[str, str]] = {
    "password-stdin": "password",
    "destination-password-stdin": "destination_password",
    "tls-pin": "tls_pins",
    "yes": "is_confirmed",
    "scope": "scopes",
}
# {} is the first word after the command.
_ROUTES: Final[Mapping[str, str]] = {
    "node list": "GET /v1/nodes",
    "node remove": "POST /v1/nodes/{}/remove",
    "node retire": "POST /v1/nodes/{}/retire",
    "account list": "GET /v1/accounts",
    "account set": "PATCH /v1/accounts/{}",
    "change cancel": "DELETE /v1/changes/{}",
    "change list": "GET /v1/changes",
    "domain check": "POST /v1/domains/{}/check",
    "domain list": "GET /v1/domains",
    "domain set": "PATCH /v1/domains/{}",
    "domain show": "GET /v1/domains/{}",
    "domain snippet": "GET /v1/domains/{}/snippets",
    "drill": "POST /v1/domains/{}/drill",
    "drain list": "GET /v1/drains",
    "login certificate": "GET /v1/accounts/{}/logins",
    "login list": "GET /v1/accounts/{}/logins",
    "login set": "PATCH /v1/accounts/{}/logins",
    "notice list": "GET /v1/notices/channels",
    "notice remove": "DELETE /v1/notices/channels/{}",
    "notice set": "PATCH /v1/notices/channels/{}",
    "notice show-waiting": "GET /v1/notices/waiting",
    "queue list": "GET /v1/queue",
    "recipient list": "GET /v1/domains/{}/recipients",
    "release": "POST /v1/releases",
    "status": "GET /v1/status",
    "token add": "POST /v1/tokens",
    "token list": "GET /v1/tokens",
    "token made": "GET /v1/tokens/{id}/made",
    "trace": "GET /v1/trace",
    "user list": "GET /v1/users",
}
_OF_THE_PROGRAM: Final = frozenset({"config", "socket"})  # options that no request has
_PAST: Final = "GET /v1/releases"  # `restante drain list --past`
_ARRIVAL: Final = "POST /v1/domains/{}/drill/arrival"  # `restante drill DOMAIN --arrived FILE`


def is_command_line(user_agent: str) -> bool:
    """Tell whether a request comes from the command line of this program."""
    return user_agent.startswith(COMMAND_LINE)


def words_for(user_agent: str) -> Callable[[str], str]:
    """Return the function that puts a text into the words of a client."""
    return str if is_command_line(user_agent) else in_words_of_api


def in_words_of_api(text: str) -> str:
    """Return a text with routes for commands and fields for options.

    Commands without a route stay: they are for the operator of the server.
    """
    text = _COMMAND.sub(_quoted, text)
    text = _BARE.sub(_route, text)
    text = _STOP.sub(r"POST /v1/drains/\1/stop", text)
    return _OPTION.sub(_field, text)


def _quoted(found: re.Match[str]) -> str:
    """Return the route and its options, for a command that has one."""
    if found[1] not in _ROUTES and not _is_past(found):
        return found[0]
    if found[1] == "drill" and "--arrived" in found[2].split():
        return f"`{_ARRIVAL.format(found[2].split()[0])}`"
    route = _route(found)
    is_question = route.startswith("GET")
    options = [] if is_question else [word for word in found[2].split() if word.startswith("--")]
    return f"`{route}`" + (f" with {', '.join(options)}" if options else "")


def _is_past(found: re.Match[str]) -> bool:
    return found[1] == "drain list" and "--past" in found[2].split()


def _route(found: re.Match[str]) -> str:
    command, rest = found[1], found[2].split()
    if _is_past(found):
        return _PAST
    route = _ROUTES[command].format(rest[0] if rest else "NAME")
    if command in {"login certificate", "login set"} and len(rest) > 1:
        route = f"{route}/{rest[1]}"
    return route + _query(rest) if route.startswith("GET") else route


def _query(words: Sequence[str]) -> str:
    """Return the options that have values as a query."""
    given = [
        f"{option.removeprefix('--').replace('-', '_')}={value}"
        for option, value in pairwise(words)
        if option.startswith("--")
    ]
    return f"?{'&'.join(given)}" if given else ""


def _field(found: re.Match[str]) -> str:
    name = found[1]
    if name in _OF_THE_PROGRAM:
        return found[0]
    return f"`{_FIELDS.get(name, name.replace('-', '_'))}`"
