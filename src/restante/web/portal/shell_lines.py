"""The commands that do at a command line what a page does. Pure.

Every value is quoted for the shell (shell_words): strangers choose addresses.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from restante.admin.held_mail import MAX_NAMES, QueueSelection
from restante.admin.mail_search import TraceSelection
from restante.queue.recipient_status import RecipientStatus
from restante.web.portal.shell_words import shell_line, shell_word

MOST_DOMAINS: Final = 20  # with a line each
_PARKED: Final = (RecipientStatus.REFUSED, RecipientStatus.UNCERTAIN, RecipientStatus.DAMAGED)
_VERBS: Final = {
    "release": "release",
    "hand-over": "release",
    "bounce": "bounce",
    "delete": "delete",
}


def posted(base_url: str, path: str, body: Mapping[str, Any]) -> str:
    """Return a line of curl that sends JSON. The token is in a variable of the shell."""
    given = shell_word(json.dumps(body))
    return f'curl -H "Authorization: Bearer $TOKEN" --json {given} {shell_word(base_url + path)}'


def asked(
    base_url: str, path: str, method: str = "GET", query: Mapping[str, str] | None = None
) -> str:
    """Return a line of curl without a body."""
    verb = "" if method == "GET" else f" -X {method}"
    url = shell_word(f"{base_url}{path}" + (f"?{urlencode(query)}" if query else ""))
    return f'curl{verb} -H "Authorization: Bearer $TOKEN" {url}'


def of_access(account: str, base_url: str) -> list[str]:
    """Return the lines that add and end logins and tokens. A password is in a file, `login.json`.

    `account` is "" for the tokens of the operator, who has no login.
    """
    owner = account or "ACCOUNT"
    words = [shell_word(owner)] if account else ["--operator"]
    logins = f"/v1/accounts/{quote(owner, safe='')}/logins"
    token = {"name": "NAME", "account": account, "scopes": ["release"]}
    return [
        shell_line(["restante", "login", "add", owner, "USER", "--generate"]),
        f'curl -H "Authorization: Bearer $TOKEN" --json @login.json {base_url}{logins}',
        shell_line(["restante", "login", "set", owner, "USER", "--rotate"]),
        shell_line(["restante", "login", "remove", owner, "USER", "--reason", "why"]),
        asked(base_url, f"{logins}/USER", "DELETE", {"reason": "why"}),
        f"restante token add {' '.join(words)} NAME --scope release",
        posted(base_url, "/v1/tokens", token),
        "restante token revoke ID --reason why",
        asked(base_url, "/v1/tokens/ID", "DELETE", {"reason": "why"}),
    ]


def of_makings(token_id: str, base_url: str) -> list[str]:
    """Return the lines that show what a token made."""
    return [
        shell_line(["restante", "token", "made", token_id]),
        asked(base_url, f"/v1/tokens/{quote(token_id, safe='')}/made"),
    ]


def of_login(account: str, user: str, base_url: str) -> list[str]:
    """Return the lines that change a login's turnaround and its certificates.

    A body with a certificate is in a file, `login.json`.
    """
    path = f"/v1/accounts/{quote(account, safe='')}/logins/{quote(user, safe='')}"
    from_file = _patched(base_url, path, {}).replace("'{}'", "@login.json")
    return [
        shell_line(["restante", "login", "set", account, user, "--turnaround"]),
        _patched(base_url, path, {"turnaround": True}),
        shell_line(["restante", "login", "set", account, user, "--no-turnaround"]),
        _patched(base_url, path, {"turnaround": False}),
        shell_line(["restante", "login", "certificate", account, user, "--add", "FILE"]),
        from_file,
        shell_line(["restante", "login", "certificate", account, user, "--drop", "KEY"]),
        _patched(base_url, path, {"drop_certificates": ["KEY"]}),
    ]


def of_users(account: str, base_url: str) -> list[str]:
    """Return the lines that invite, change and remove people; "" is the operator's."""
    role = "account-reader" if account else "operator-reader"
    owner = ["--account", account] if account else []
    new = {"email": "EMAIL", "account": account, "role": role}
    change = posted(base_url, "/v1/users/EMAIL", {"role": role})
    return [
        shell_line(["restante", "user", "invite", "EMAIL", *owner, "--role", role]),
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
        shell_line(["restante", "notice", "add", "NAME", "--webhook", hook, *owner]),
        posted(base_url, "/v1/notices/channels", new),
        shell_line(["restante", "notice", "test", "NAME", *owner]),
        asked(base_url, f"{path}/test{query}", "POST"),
        shell_line(["restante", "notice", "resend", "NAME", "ID", *owner]),
        posted(base_url, f"{path}/again{query}", {"id": "ID"}),
    ]


def of_uptime(domain: str, base_url: str) -> list[str]:
    """Return the lines that show when a domain's destination was away."""
    path = f"/v1/domains/{quote(domain, safe='')}/uptime"
    return [shell_line(["restante", "domain", "uptime", domain]), asked(base_url, path)]


def of_check(domain: str, base_url: str) -> list[str]:
    """Return the lines that check a domain, and that print lines for its primary."""
    path = f"/v1/domains/{quote(domain, safe='')}"
    return [
        shell_line(["restante", "domain", "check", domain]),
        asked(base_url, f"{path}/check", "POST"),
        shell_line(["restante", "domain", "snippet", domain, "--for", "postfix"]),
        asked(base_url, f"{path}/snippets", query={"for": "postfix"}),
    ]


def of_dns(domain: str, base_url: str) -> list[str]:
    """Return the lines that show the records to publish for a domain."""
    path = f"/v1/domains/{quote(domain, safe='')}/dns"
    return [shell_line(["restante", "domain", "dns", domain]), asked(base_url, path)]


def of_drill(domain: str, base_url: str) -> list[str]:
    """Return the lines that drill a domain."""
    path = f"/v1/domains/{quote(domain, safe='')}/drill"
    return [shell_line(["restante", "drill", domain]), posted(base_url, path, {})]


def of_drill_arrival(domain: str, base_url: str) -> list[str]:
    """Return the lines that give back the header of a drill's message."""
    path = f"/v1/domains/{quote(domain, safe='')}/drill/arrival"
    return [
        shell_line(["restante", "drill", domain, "--arrived", "message.eml"]),
        posted(base_url, path, {"header": "Received: …"}),
    ]


def of_recipients(domain: str, base_url: str) -> list[str]:
    """Return the lines that list, add and remove recipients."""
    path = f"/v1/domains/{quote(domain, safe='')}/recipients"
    return [
        shell_line(["restante", "recipient", "list", domain]),
        asked(base_url, path),
        shell_line(["restante", "recipient", "add", domain, "NAME"]),
        _patched(base_url, path, {"add": ["NAME"]}),
        shell_line(["restante", "recipient", "remove", domain, "NAME"]),
        _patched(base_url, path, {"remove": ["NAME"]}),
    ]


def of_message(name: str, base_url: str) -> list[str]:
    """Return the lines that show a message and its way."""
    return [
        shell_line(["restante", "queue", "show", name]),
        asked(base_url, f"/v1/queue/{quote(name, safe='')}"),
        shell_line(["restante", "trace", name]),
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
    """Return the lines that list what an account has used; "": all of them, this month."""
    named = [account] if account else []
    line = shell_line(["restante", "account", "usage", *named, "--csv"])
    query = {"account": account} if account else None
    return [line, asked(base_url, "/v1/account-uses", query=query)]


def of_status(base_url: str) -> list[str]:
    """Return the lines that show the state of the server and of all accounts."""
    return [
        "restante status",
        asked(base_url, "/v1/status"),
        "restante account list",
        asked(base_url, "/v1/accounts"),
    ]


def released(domain: str, base_url: str) -> list[str]:
    """Return the lines that release a domain."""
    line = f"restante release {shell_word(domain)}"
    return [line, posted(base_url, "/v1/releases", {"targets": [domain]})]


def redirected(domain: str, destination: str, hosts: Sequence[str], base_url: str) -> list[str]:
    """Return the lines that change a destination and authorized hosts. They show the present."""
    words = ["restante", "domain", "set", domain, "--destination", destination]
    words += [word for host in hosts for word in ("--allow", host)]
    body = json.dumps({"destination": destination, "allow": list(hosts)})
    url = f"{base_url}/v1/domains/{quote(domain, safe='')}"
    curl = f'curl -X PATCH -H "Authorization: Bearer $TOKEN" --json {shell_word(body)} {url}'
    return [shell_line(words), curl]


def of_policy(
    domain: str, fields: Sequence[tuple[str, str]], body: Mapping[str, Any], base_url: str
) -> list[str]:
    """Return the lines that set these fields of a policy. They show the present values."""
    flags = {"yes": "", "no": "no-"}
    words = ["restante", "domain", "set", domain]
    for name, text in fields:
        option = name.replace("_", "-")
        words += [f"--{flags[text]}{option}"] if text in flags else [f"--{option}", text]
    return [shell_line(words), _patched(base_url, _of_domain(domain), body)]


def of_suspension(domain: str, hold: str, base_url: str) -> list[str]:
    """Return the lines that suspend a domain, or those that end it: `hold` applies then."""
    words = ["restante", "domain", "set", domain, "--hold", hold or "suspended"]
    words += [] if hold else ["--reason", "why"]
    body = {"hold": hold} if hold else {"hold": "suspended", "reason": "why"}
    return [shell_line(words), _patched(base_url, _of_domain(domain), body)]


def _of_domain(domain: str) -> str:
    return f"/v1/domains/{quote(domain, safe='')}"


def _patched(base_url: str, path: str, body: Mapping[str, Any]) -> str:
    return posted(base_url, path, body).replace("curl ", "curl -X PATCH ", 1)


def acted(
    action: str,
    names: Sequence[str],
    selection: QueueSelection,
    reason: str,
    base_url: str,
    *,
    is_by_filter: bool = False,
    domains: Sequence[str] = (),
) -> list[str]:
    """Return the lines that act on these messages: each by name, or all that a selection matches.

    The command of a selection is for the operator, who has the mail of all accounts. So `domains`
    are those of an account's mail: without a domain in the selection, each has a line of its own.
    The lines of curl have all names, so that mail which arrives meanwhile is left alone.
    """
    verb, why = _VERBS[action], reason or "why"
    status = selection.status if action == "release" and selection.status in _PARKED else None
    if is_by_filter and len(domains) <= MOST_DOMAINS:
        lines = _by_filter(verb, selection, why, domains)
    else:
        concerned = ["--status", str(status)] if status else []
        lines = [shell_line(["restante", "queue", verb, *names, *concerned, "--reason", why])]
    more = {"status": str(status)} if status else {}
    for place in range(0, len(names), MAX_NAMES):
        body = {"names": list(names[place : place + MAX_NAMES]), "reason": why, **more}
        lines.append(posted(base_url, f"/v1/queue/{verb}", body))
    return lines


def _by_filter(verb: str, selection: QueueSelection, why: str, domains: Sequence[str]) -> list[str]:
    """Return the commands for all that match. `queue release` takes one status at a time."""
    wanted = [selection]
    if selection.domain is None and domains:
        wanted = [selection.model_copy(update={"domain": one}) for one in domains]
    if verb == "release" and selection.status is None:
        wanted = [one.model_copy(update={"status": has}) for one in wanted for has in _PARKED]
    return [
        shell_line(["restante", "queue", verb, *(options(one) or ["--all"]), "--reason", why])
        for one in wanted
        if verb != "release" or one.status in _PARKED  # held mail needs no change
    ]


def options(selection: QueueSelection) -> list[str]:
    """Return the options of `restante queue` for a selection; none for all mail."""
    given = {
        "--domain": selection.domain,
        "--reverse-path": "<>" if selection.reverse_path == "" else selection.reverse_path,
        "--recipient": selection.recipient,
        "--older": None if selection.older is None else f"{selection.older:.0f}s",
        "--larger": None if selection.larger is None else str(selection.larger),
        "--message-id": selection.message_id,
        "--from-address": selection.from_address,
        "--status": None if selection.status is None else str(selection.status),
    }
    return [word for name, value in given.items() if value is not None for word in (name, value)]


def of_queue(selection: QueueSelection, base_url: str) -> list[str]:
    """Return the lines that list the same mail."""
    query = selection.model_dump(mode="json", exclude_none=True, exclude={"limit", "after"})
    return [
        shell_line(["restante", "queue", "list", *options(selection)]),
        asked(base_url, "/v1/queue", query=query),
    ]


def of_content(name: str, base_url: str) -> list[str]:
    """Return the lines that write a message's content to a file."""
    path = f"/v1/queue/{quote(name, safe='')}/content"
    file = shell_word(f"{name}.eml")
    curl = asked(base_url, path, query={"reason": "why"})
    return [
        f"restante queue show {shell_word(name)} --raw --reason why >{file}",
        curl.replace("curl ", f"curl -o {file} ", 1),
    ]


def of_releases(domain: str, base_url: str) -> list[str]:
    """Return the lines that list requests for release, of a domain or ("") of all."""
    words = ["restante", "drain", "list", "--past"]
    words += ["--domain", domain] if domain else []
    query = {"domain": domain} if domain else None
    return [shell_line(words), asked(base_url, "/v1/releases", query=query)]


def of_release(name: str, base_url: str) -> list[str]:
    """Return the line that shows one request for release."""
    return [asked(base_url, f"/v1/releases/{quote(name, safe='')}")]


def of_audit(wanted: Mapping[str, str], base_url: str) -> list[str]:
    """Return the lines that list the same entries of the audit trail."""
    given = {name: value for name, value in wanted.items() if value}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    return [
        shell_line(["restante", "audit", *words]),
        asked(base_url, "/v1/audit", query=given),
    ]


_TRACE: Final[Mapping[str, str]] = {
    "message_id": "--message-id",
    "reverse_path": "--from",
    "recipient": "--to",
    "domain": "--domain",
    "outcome": "--outcome",
    "since": "--since",
    "until": "--until",
}


def traced(wanted: Mapping[str, str], selection: TraceSelection, base_url: str) -> list[str]:
    """Return the lines that search for the same mail. `wanted` has the days as they were written.

    The command's end of a span is a moment: that of a day is the beginning of the next.
    """
    given = {name: value for name, value in wanted.items() if value}
    if selection.until is not None:
        given["until"] = f"{datetime.fromtimestamp(selection.until, UTC):%Y-%m-%d}"
    words = [word for name, value in given.items() for word in (_TRACE[name], value)]
    query = selection.model_dump(
        mode="json", exclude_none=True, exclude={"limit", "after", "before"}
    )
    return [
        shell_line(["restante", "trace", *words]),
        asked(base_url, "/v1/trace", query=query),
    ]
