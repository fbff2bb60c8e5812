"""The check of a domain from the primary's side: by the API, and by a look at this machine."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from textwrap import wrap
from typing import Any, Callable, Dict, List  # those that Python 3.8 has at run time
from urllib.parse import quote

from restante_client.client_failure import ClientExit, ClientFailure, shown
from restante_client.domain_answers import read_check, read_snippet
from restante_client.https_release import ApiServer, api_refusal
from restante_client.local_server import await_local

JsonValue = Dict[str, Any]
VERDICTS = ("fail", "warn", "unknown", "pass")  # the worst first
CLOCK_SECONDS = 60.0  # by which two clocks may differ
LOCAL_SECONDS = 10.0  # for the greeting of the local server
_WIDTH = 80
_INDENT = " " * 9
_SCOPES = {"check": "domain:write", "snippets": "domain:read"}


def check_by_api(
    asked: ApiServer, domain: str, clock: Callable[[], float] = time.time
) -> List[JsonValue]:
    """Return the rows of the check, and one about the clocks. Raises ClientFailure."""
    status, value = asked.request("POST", f"{_path(domain)}/check")
    check = read_check(value)
    if check is None:
        raise api_refusal(asked.server, status, value, _SCOPES["check"])
    return [*check["rows"], *_clock_rows(check["at"], clock())]


def snippet_by_api(asked: ApiServer, domain: str, program: str) -> JsonValue:
    """Return the lines for one program. Raises ClientFailure."""
    path = f"{_path(domain)}/snippets?for={quote(program, safe='')}"
    status, value = asked.request("GET", path)
    snippet = read_snippet(value)
    if snippet is None:
        raise api_refusal(asked.server, status, value, _SCOPES["snippets"])
    return snippet


def _path(domain: str) -> str:
    return f"/v1/domains/{quote(domain, safe='')}"


def _clock_rows(at: str, now: float) -> List[JsonValue]:
    """Return the row about the clocks; none if the server's time cannot be read."""
    try:
        apart = now - datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return []
    if abs(apart) <= CLOCK_SECONDS:
        return [_row("clock", "clock of this machine", "pass", "it agrees with the server's")]
    evidence = f"it differs from the server's by {abs(apart):,.0f} s"
    remedy = "set it by NTP: certificates and greylisting depend on it"
    return [_row("clock", "clock of this machine", "warn", evidence, remedy)]


def local_row(address: str) -> JsonValue:
    """Return the row about the mail server of this machine."""
    check, title = "local-server", "mail server of this machine"
    try:
        local = await_local(address, LOCAL_SECONDS)
    except ClientFailure as failure:
        cause, _, remedy = failure.text.rpartition("; ")
        return _row(check, title, "fail", cause, remedy)
    local.dismiss()
    greeting = shown(local.greeting.decode("utf-8", "replace"))[:200]
    return _row(check, title, "pass", f"{address}: {greeting}")


def _row(check: str, title: str, verdict: str, evidence: str, remedy: str = "") -> JsonValue:
    texts = {"check": check, "title": title, "verdict": verdict, "evidence": evidence}
    return {**texts, "remedy": remedy, "snippet": ""}


def row_lines(row: JsonValue) -> List[str]:
    """Return a row as lines: verdict and title, evidence, remedy, and lines to copy."""
    lines = [f"{shown(row['verdict']).upper():7}  {shown(row['title'])}"]
    lines += _folded(shown(row["evidence"]), _INDENT)
    if row["remedy"]:
        lines += _folded(f"-> {shown(row['remedy'])}", f"{_INDENT}   ", _INDENT)
    lines += [f"{_INDENT}   {shown_line(line)}" for line in row["snippet"].splitlines()]
    return lines


def _folded(text: str, indent: str, first: str = "") -> List[str]:
    return wrap(text, _WIDTH, initial_indent=first or indent, subsequent_indent=indent)


def shown_line(line: str) -> str:
    """Return a line of a file as it is, but for control characters."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in line)


def snippet_lines(snippet: JsonValue) -> List[str]:
    """Return the lines for a program, each part below its place, and the danger."""
    lines: List[str] = []
    for part in snippet["parts"]:
        text = [shown_line(line) for line in part["text"].splitlines()]
        lines += [f"In {shown(part['place'])}:", "", *text, ""]
    lines += wrap(f"Danger: {shown(snippet['danger'])}", _WIDTH)
    if not snippet["is_tried"]:
        title = shown(snippet["title"])
        lines += wrap(f"These lines follow the documentation of {title}. Try them first.", _WIDTH)
    return lines


def summary(rows: List[JsonValue]) -> str:
    """Return how many rows have each verdict, the worst first."""
    counts = Counter(row["verdict"] for row in rows)
    return ", ".join(f"{counts[one]} {one.upper()}" for one in VERDICTS if counts[one])


def check_exit(rows: List[JsonValue]) -> ClientExit:
    """Return the exit code: that of a failure if a row fails."""
    has_failure = any(row["verdict"] == "fail" for row in rows)
    return ClientExit.CHECK_FAILS if has_failure else ClientExit.DONE
