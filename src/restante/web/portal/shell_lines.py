"""The commands that do at a command line what a page does. Pure.

Every value is quoted for the shell: strangers choose addresses.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from restante.admin.held_mail import QueueSelection

MOST_SHOWN: Final = 20  # names in a line
_VERBS: Final = {"release": "release", "bounce": "bounce", "delete": "delete"}


def posted(base_url: str, path: str, body: Mapping[str, Any]) -> str:
    """Return a line of curl that sends JSON. The token is in a variable of the shell."""
    given = shlex.quote(json.dumps(body))
    return f'curl -H "Authorization: Bearer $TOKEN" --json {given} {shlex.quote(base_url + path)}'


def asked(
    base_url: str, path: str, method: str = "GET", query: Mapping[str, str] | None = None
) -> str:
    """Return a line of curl without a body."""
    verb = "" if method == "GET" else f" -X {method}"
    url = shlex.quote(f"{base_url}{path}" + (f"?{urlencode(query)}" if query else ""))
    return f'curl{verb} -H "Authorization: Bearer $TOKEN" {url}'


def of_access(account: str, base_url: str) -> list[str]:
    """Return the lines that add and end logins and tokens. A password is in a file, `login.json`.

    `account` is "" for the tokens of the operator, who has no login.
    """
    owner = account or "ACCOUNT"
    words = [shlex.quote(owner)] if account else ["--operator"]
    logins = f"/v1/accounts/{quote(owner, safe='')}/logins"
    token = {"name": "NAME", "account": account, "scopes": ["release"]}
    return [
        shlex.join(["restante", "login", "add", owner, "USER", "--generate"]),
        f'curl -H "Authorization: Bearer $TOKEN" --json @login.json {base_url}{logins}',
        shlex.join(["restante", "login", "set", owner, "USER", "--rotate"]),
        shlex.join(["restante", "login", "remove", owner, "USER"]),
        asked(base_url, f"{logins}/USER", "DELETE"),
        f"restante token add {' '.join(words)} NAME --scope release",
        posted(base_url, "/v1/tokens", token),
        "restante token revoke ID --reason why",
        asked(base_url, "/v1/tokens/ID", "DELETE", {"reason": "why"}),
    ]


def of_users(account: str, base_url: str) -> list[str]:
    """Return the lines that invite, change and remove people; "" is the operator's."""
    role = "account-reader" if account else "operator-reader"
    owner = ["--account", account] if account else []
    new = {"email": "EMAIL", "account": account, "role": role}
    change = posted(base_url, "/v1/users/EMAIL", {"role": role})
    return [
        shlex.join(["restante", "user", "invite", "EMAIL", *owner, "--role", role]),
        posted(base_url, "/v1/users", new),
        f"restante user set EMAIL --role {role}",
        change.replace("curl ", "curl -X PATCH ", 1),
        "restante user remove EMAIL --reason why",
        asked(base_url, "/v1/users/EMAIL", "DELETE", {"reason": "why"}),
    ]


def of_channels(account: str, base_url: str) -> list[str]:
    """Return the lines that add a channel, test it, and send a past notice again."""
    owner = ["--account", account] if account else []
    query = f"?{urlencode({'account': account})}" if account else ""
    path = "/v1/notices/channels/NAME"
    hook = "https://example.org/hook"
    new = {"name": "NAME", "account": account, "webhook": hook}
    return [
        shlex.join(["restante", "notice", "add", "NAME", "--webhook", hook, *owner]),
        posted(base_url, "/v1/notices/channels", new),
        shlex.join(["restante", "notice", "test", "NAME", *owner]),
        asked(base_url, f"{path}/test{query}", "POST"),
        shlex.join(["restante", "notice", "resend", "NAME", "ID", *owner]),
        posted(base_url, f"{path}/again{query}", {"id": "ID"}),
    ]


def of_recipients(domain: str, base_url: str) -> list[str]:
    """Return the lines that list and add recipients."""
    path = f"/v1/domains/{quote(domain, safe='')}/recipients"
    change = posted(base_url, path, {"add": ["NAME"]})
    return [
        shlex.join(["restante", "recipient", "list", domain]),
        asked(base_url, path),
        shlex.join(["restante", "recipient", "add", domain, "NAME"]),
        change.replace("curl ", "curl -X PATCH ", 1),
    ]


def of_message(name: str, base_url: str) -> list[str]:
    """Return the lines that show a message and its way."""
    return [
        shlex.join(["restante", "queue", "show", name]),
        asked(base_url, f"/v1/queue/{quote(name, safe='')}"),
        shlex.join(["restante", "trace", name]),
        asked(base_url, "/v1/trace", query={"name": name}),
    ]


def of_waiting_change(number: int, base_url: str, *, may_apply: bool) -> list[str]:
    """Return the lines that cancel a change, and those that apply it early."""
    path = f"/v1/changes/{number}"
    lines = [f"restante change cancel {number}", asked(base_url, path, "DELETE")]
    if may_apply:
        lines += [f"restante change apply {number}", asked(base_url, f"{path}/apply", "POST")]
    return lines


def of_use(account: str, base_url: str) -> list[str]:
    """Return the lines that list what an account has used."""
    line = shlex.join(["restante", "account", "usage", account, "--csv"])
    return [line, asked(base_url, "/v1/account-uses", query={"account": account})]


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
