"""The commands that do at a command line what a page does. Pure.

Every value is quoted for the shell: strangers choose addresses.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from restante.admin.held_mail import QueueSelection

MOST_SHOWN: Final = 20  # names in a line
_VERBS: Final = {"release": "release", "bounce": "bounce", "delete": "delete"}


def posted(base_url: str, path: str, body: Mapping[str, Any]) -> str:
    """Return a line of curl that sends JSON. The token is in a variable of the shell."""
    given = shlex.quote(json.dumps(body))
    return f'curl -H "Authorization: Bearer $TOKEN" --json {given} {base_url}{path}'


def released(domain: str, base_url: str) -> list[str]:
    """Return the lines that release a domain."""
    line = f"restante release {shlex.quote(domain)}"
    return [line, posted(base_url, "/v1/releases", {"targets": [domain]})]


def redirected(domain: str, destination: str, hosts: Sequence[str], base_url: str) -> list[str]:
    """Return the lines that change a destination and authorized hosts. They show the present."""
    words = ["restante", "domain", "set", domain, "--destination", destination]
    words += [word for host in hosts for word in ("--allow", host)]
    body = json.dumps({"destination": destination, "allow": list(hosts)})
    url = f"{base_url}/v1/domains/{quote(domain, safe='')}"
    curl = f'curl -X PATCH -H "Authorization: Bearer $TOKEN" --json {shlex.quote(body)} {url}'
    return [shlex.join(words), curl]


def acted(
    action: str, names: Sequence[str], selection: QueueSelection | None, reason: str, base_url: str
) -> list[str]:
    """Return the lines that act on messages: on these, or on all that a selection matches."""
    verb, why = _VERBS[action], reason or "why"
    words = ["restante", "queue", verb]
    words += options(selection) if selection is not None else list(names[:MOST_SHOWN])
    lines = [shlex.join([*words, "--reason", why])]
    if names:
        body = {"names": list(names[:MOST_SHOWN]), "reason": why}
        lines.append(posted(base_url, f"/v1/queue/{verb}", body))
    return lines


def options(selection: QueueSelection) -> list[str]:
    """Return the options of `restante queue` for a selection."""
    given = {
        "--domain": selection.domain,
        "--reverse-path": selection.reverse_path,
        "--recipient": selection.recipient,
        "--older": None if selection.older is None else f"{selection.older:.0f}s",
        "--larger": None if selection.larger is None else str(selection.larger),
        "--message-id": selection.message_id,
        "--status": None if selection.status is None else str(selection.status),
    }
    found = [word for name, value in given.items() if value is not None for word in (name, value)]
    return found or ["--all"]


_TRACE: Final[Mapping[str, str]] = {
    "message_id": "--message-id",
    "reverse_path": "--from",
    "recipient": "--to",
    "domain": "--domain",
    "outcome": "--outcome",
    "since": "--since",
    "until": "--until",
}


def traced(asked: Mapping[str, str]) -> list[str]:
    """Return the line that searches for the same mail."""
    given = [(_TRACE[name], value) for name, value in asked.items() if value]
    return [shlex.join(["restante", "trace", *(word for pair in given for word in pair)])]
