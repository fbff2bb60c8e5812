"""How long each call of the operator holds up the mail, on a server with very much in its store.

    .venv/bin/python -m bench.stalls [--domains 10000] [--messages 1000000] [--rounds 5]  (as root)

One SMTP session sends NOOP continuously, in a process of its own. Its longest wait for a reply
during a call is the cost of the call to everybody else. The table has the median of the rounds, and
the worst, and how long the call takes. `nothing` is the longest wait without a call. After a
release the drains still run, and `nothing` shows what they alone cost. The content of the store is
described in full_store.py.
`--publish` writes the table into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx

from bench.full_store import FIRST, LISTED, MAILBOXES, database_in, fill
from bench.machine import describe
from bench.portal_visitor import visitor
from bench.priority import put_first
from bench.publish import publish_stalls
from tests.acceptance.installation import Installation
from tests.acceptance.sample import message, send

AWAY: Final = "127.0.0.1:9"
PATIENCE: Final = 300.0  # seconds
PAUSE: Final = 0.3  # seconds between two calls
REASON: Final = "measured"
SETTINGS: Final = """
[reception]
junk_commands_limit = 1000000000
session_seconds = 86400

[telemetry]
metrics = "127.0.0.1:0"

[metrics]
domains = "all"
"""

Spell = tuple[float, float]  # when a NOOP was said and when it was answered, monotonic


# The session that waits


def wait_on(port: int, pipe: Connection) -> None:
    """Say NOOP until told to stop, then send what each took."""
    spells: list[Spell] = []
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as session:
        session.recv(4096)
        session.sendall(b"EHLO client.example\r\n")
        session.recv(4096)
        while not pipe.poll():
            began = time.monotonic()
            session.sendall(b"NOOP\r\n")
            answer = session.recv(4096)
            assert answer.startswith(b"250"), answer
            spells.append((began, time.monotonic()))
            time.sleep(0.002)
    pipe.send(spells)


@contextmanager
def waiting(port: int) -> Iterator[Callable[[], list[Spell]]]:
    """Have a process wait inside; gives what asks it to end, and returns what it found."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=wait_on, args=(port, theirs), daemon=True)
    process.start()
    theirs.close()  # so that a process that has died is noticed

    def end() -> list[Spell]:
        ours.send(None)
        found: list[Spell] = ours.recv()
        process.join()
        return found

    yield end


# The calls


class Server:
    """A running server, as the operator and Prometheus reach it."""

    def __init__(self, restante: Installation) -> None:
        self._restante = restante
        transport = httpx.HTTPTransport(uds=str(restante.directory / "data/control.sock"))
        self._control = httpx.Client(
            transport=transport, base_url="http://restante", timeout=PATIENCE
        )
        self._metrics = restante.events("server-ready")[-1]["metrics"][0]
        self._names: list[str] = []
        self._asked: set[tuple[str, str]] = set()  # methods and paths
        self.changes = 0
        self._visitors = [
            visitor(restante, "root@operator.example", "--role", "operator"),
            visitor(
                restante, "anna@d2.example", "--account", "account1", "--role", "account-admin"
            ),
        ]

    def ask(self, method: str, path: str, *, body: object = None, **params: Any) -> Any:
        """Ask at the control socket; a refusal is a fault of this script."""
        answer = self._control.request(method, path, params=params, json=body)
        self._asked.add((method, path))
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content[:1] in b"[{" else None

    def read(self, method: str, path: str, *, body: object = None, **params: Any) -> bytes:
        """Ask for a long answer and read it as it comes. A refusal by a limit is an answer too."""
        with self._control.stream(method, path, params=params, json=body) as answer:
            found = b"".join(answer.iter_raw())
        self._asked.add((method, path))
        assert answer.status_code not in {404, 405, 422, 500}, (method, path, found[:500])
        return found

    def message(self, path: str) -> None:
        """Ask about a held message; `path` has a place for its name."""
        [first] = self.ask("GET", "/v1/queue", limit=1)
        self.read("GET", path.format(first["name"]))

    def digests(self) -> None:
        """Ask for the digests of a hundred messages."""
        names = self.ask("GET", "/v1/queue/selection", limit=100)["names"]
        self.ask("POST", "/v1/queue/digests", body={"names": names})

    def first_report(self, method: str, path: str, body: Callable[[int], object]) -> None:
        """Do something with the oldest report; `path` has a place for its number."""
        [first] = self.ask("GET", "/v1/reports", limit=1)
        self.read(method, path.format(first["number"]), body=body(first["number"]))

    def apply_again(self) -> None:
        """Declare all records as they are. There is nothing to do, but each is compared."""
        lines = self.read("GET", "/v1/configuration").splitlines()
        # The channels of a filled store have no keys.
        declared = b"\n".join(line for line in lines if json.loads(line)["thing"] != "channel")
        answer = self._control.post(
            "/v1/apply",
            params={"dry_run": True, "reason": REASON},
            content=declared,
            headers={"content-type": "application/x-ndjson"},
        )
        self._asked.add(("POST", "/v1/apply"))
        assert answer.is_success, answer.text[:500]

    def add_and_remove(self, path: str, body: Callable[[str], dict[str, object]]) -> None:
        """Add a record under a new name, the first of its fields, and remove it."""
        self.changes += 1
        record = body(f"new{self.changes}")
        self.ask("POST", path, body=record)
        self.read("DELETE", f"{path}/{next(iter(record.values()))}", reason=REASON)

    def back_up(self) -> None:
        """Back the store up, and remove the copy."""
        target = self._restante.directory / "backup"
        self.ask("POST", "/v1/store/backup", body={"directory": str(target)})
        shutil.rmtree(target)

    def not_asked(self) -> list[str]:
        """Return the operations of the API that no call has used so far."""
        described = self.ask("GET", "/v1/openapi.json")["paths"]
        return [
            f"{method.upper()} {path}"
            for path, operations in described.items()
            for method in operations
            if not any(
                method.upper() == asked and _matches(path, place) for asked, place in self._asked
            )
        ]

    def follow(self, path: str, pages: int) -> None:
        """Read at most so many pages of a list."""
        self._asked.add(("GET", path))
        following = f"{path}?limit=500"
        for _ in range(pages):
            answer = self._control.get(following)
            assert answer.is_success, answer.text
            if "next" not in answer.links:
                return
            following = answer.links["next"]["url"]

    def load(self, number: int, path: str) -> None:
        """Load a page of the portal. Strangers get 404, and the operator has no /usage."""
        answer = self._visitors[number].get(path)
        is_there = answer.status_code in {200, 404} or "sign-in" not in answer.headers["location"]
        assert is_there, (path, answer.status_code)

    def scrape(self) -> None:
        """Read the metrics from their own port."""
        assert httpx.get(f"http://{self._metrics}/metrics", timeout=PATIENCE).is_success

    def reload(self) -> None:
        """SIGHUP."""
        self._restante.reload()

    def select(self, **filters: Any) -> None:
        """Name messages, and remember them."""
        self._names = self.ask("GET", "/v1/queue/selection", **filters)["names"]

    def act(self, verb: str) -> None:
        """Delete, bounce or release a thousand of them."""
        some, self._names = self._names[:1000], self._names[1000:]
        self.ask("POST", f"/v1/queue/{verb}", body={"names": some, "reason": REASON})

    def export(self) -> None:
        """Export a domain's mail, read as it comes."""
        order = {"selection": {"domain": "d2.example"}, "reason": REASON}
        self.read("POST", "/v1/queue/export", body=order)

    def release(self, target: str) -> None:
        """Release it: nobody is there to take the mail, so it stays."""
        self.ask("POST", "/v1/releases", body={"targets": [target], "reason": REASON})

    def until_idle(self) -> None:
        """Wait until no drain is left."""
        while self.ask("GET", "/v1/drains"):
            time.sleep(PAUSE)


def _matches(described: str, asked: str) -> bool:
    """Tell whether a path is one of those that a description with places means."""
    return re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", described), asked) is not None


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the table."""

    name: str
    make: Callable[[Server], object]


def get(path: str, **params: Any) -> Callable[[Server], object]:
    """Return a call that reads."""
    return lambda server: server.ask("GET", path, **params)


def read(method: str, path: str, body: object = None, **params: Any) -> Callable[[Server], object]:
    """Return a call with a long answer, or one that a limit may refuse."""
    return lambda server: server.read(method, path, body=body, **params)


def change(method: str, path: str, body: Callable[[int], object]) -> Callable[[Server], object]:
    """Return a call that changes a record each time; `body` is told which time it is."""

    def make(server: Server) -> None:
        server.changes += 1
        server.ask(method, path, body=body(server.changes))

    return make


def mailboxes(changes: int) -> object:
    """Return a whole list, which differs from the one before."""
    names = [f"reader{number}" for number in range(changes, changes + MAILBOXES)]
    return {"addresses": names, "is_confirmed": True}


def added_and_removed(
    path: str, body: Callable[[str], dict[str, object]]
) -> Callable[[Server], object]:
    """Return a call that adds a record and removes it."""
    return lambda server: server.add_and_remove(path, body)


ADDED: Final[tuple[tuple[str, str, Callable[[str], dict[str, object]]], ...]] = (
    ("account", "/v1/accounts", lambda name: {"name": name}),
    (
        "login",
        "/v1/accounts/account1/logins",
        lambda name: {"user": name, "password": "correct horse battery staple"},
    ),
    (
        "domain",
        "/v1/domains",
        lambda name: {"name": f"{name}.example", "account": "account1", "destination": AWAY},
    ),
    (
        "user",
        "/v1/users",
        lambda name: {"email": f"{name}@operator.example", "role": "operator-reader"},
    ),
)

PAGES: Final = (
    "/",
    "/queue",
    "/queue?domain=d2.example",
    "/queue?recipient=nobody*",
    "/queue?status=refused",
    "/refused",
    "/search?recipient=reader*",
    "/search?recipient=nobody*",
    "/search?message_id=nobody@nowhere.example",
    "/releases",
    "/audit",
    "/audit?actor=nobody",
    "/notices",
    "/access",
    "/usage",
    "/domains/d2.example",
    f"/domains/{LISTED}/recipients",
)


def page(number: int, path: str) -> Callable[[Server], object]:
    """Return a call that loads a page of the portal; `number` is of the visitor."""
    return lambda server: server.load(number, path)


READING: Final = (
    Call("nothing", lambda _: time.sleep(1.0)),
    Call("account list", get("/v1/accounts")),
    Call("login list", get("/v1/accounts/account1/logins")),
    Call("domain list", get("/v1/domains")),
    Call("domain list of an account", get("/v1/domains", account="account1")),
    Call("domain show", get("/v1/domains/d1.example")),
    Call("recipient list", get(f"/v1/domains/{LISTED}/recipients")),
    Call("status", get("/v1/status")),
    Call("status, all", get("/v1/status", everything=True)),
    Call("status of an account", get("/v1/status", account="account1")),
    Call("release list", get("/v1/releases", limit=500)),
    Call("drain list", get("/v1/drains")),
    Call("last drains", get("/v1/drains/last")),
    Call("queue list, 100", get("/v1/queue")),
    Call("queue list, 500", get("/v1/queue", limit=500)),
    Call("queue list, 50 pages of 500", lambda server: server.follow("/v1/queue", 50)),
    Call("queue list, refused", get("/v1/queue", status="refused", limit=500)),
    Call("queue list of a domain", get("/v1/queue", domain="d2.example", limit=500)),
    Call("queue list by sender", get("/v1/queue", reverse_path="nobody@nowhere.example")),
    Call("queue list by recipient", get("/v1/queue", recipient="nobody*", limit=500)),
    Call("queue list by size", get("/v1/queue", larger=10, limit=500)),
    Call("queue selection of 100,000", get("/v1/queue/selection", limit=100_000)),
    Call("queue export of a domain", Server.export),
    Call("report list", get("/v1/reports", limit=500)),
    Call("notice list", get("/v1/notices/channels")),
    Call("notice show-waiting", get("/v1/notices/waiting", limit=500)),
    Call("notice log", get("/v1/notices/past", limit=500)),
    Call("trace, 1,000", get("/v1/trace", recipient="*", limit=1000)),
    Call("trace by sender", get("/v1/trace", reverse_path="nobody@nowhere.example")),
    Call("trace by Message-ID", get("/v1/trace", message_id="nobody@nowhere.example")),
    Call("audit, 100", get("/v1/audit")),
    Call("audit, 500", get("/v1/audit", limit=500)),
    Call("audit by actor", get("/v1/audit", actor="nobody")),
    Call("account show", get("/v1/accounts/account1")),
    Call("account usage", get("/v1/account-uses")),
    Call("login show", get("/v1/accounts/account1/logins/user1")),
    Call("token list", get("/v1/tokens")),
    Call("user list", get("/v1/users")),
    Call("user show", get("/v1/users/root@operator.example")),
    Call("change list", get("/v1/changes")),
    Call("node list", get("/v1/nodes")),
    Call("domain uptime", get("/v1/domains/d1.example/uptime")),
    Call("domain held", get("/v1/domains/d1.example/held")),
    Call("domain dns", get("/v1/domains/d1.example/dns")),
    Call("domain snippet", get("/v1/domains/d1.example/snippets")),
    Call("domain check", read("POST", "/v1/domains/d1.example/check")),
    Call("queue show", lambda server: server.message("/v1/queue/{}")),
    Call("queue show, content", lambda server: server.message("/v1/queue/{}/content")),
    Call("trace of a name", lambda server: server.message("/v1/messages/{}")),
    Call("queue digests of 100", Server.digests),
    Call(
        "report show",
        lambda server: server.first_report("GET", "/v1/reports/{}", lambda _: None),
    ),
    Call("notice show", get("/v1/notices/channels/pager", account="account1")),
    Call("history export, 20 pages of 500", lambda server: server.follow("/v1/history", 20)),
    Call("export-config", read("GET", "/v1/configuration")),
    Call("apply, nothing to do", Server.apply_again),
    Call("privacy export", read("POST", "/v1/privacy/export", {"address": f"nobody@{FIRST}"})),
    Call("metrics at the socket", get("/metrics")),
    Call("metrics at the port", Server.scrape),
    Call("openapi.json", get("/v1/openapi.json")),
    *(
        Call(f"page {path}, {whose}", page(number, path))
        for number, whose in enumerate(("operator", "largest account"))
        for path in PAGES
    ),
)

CHANGING: Final = (
    Call("queue selection, refused", lambda server: server.select(status="refused", limit=10_000)),
    Call("queue release of 1,000", lambda server: server.act("release")),
    Call("queue selection", lambda server: server.select(limit=10_000)),
    Call("queue delete of 1,000", lambda server: server.act("delete")),
    Call("queue bounce of 1,000", lambda server: server.act("bounce")),
    Call("store backup", Server.back_up),
    Call(
        "privacy erase",
        read("POST", "/v1/privacy/erase", {"address": f"nobody@{FIRST}", "reason": REASON}),
    ),
    Call("drill", read("POST", "/v1/domains/d1.example/drill", {"wait": 1, "reason": REASON})),
    Call(
        "report drop",
        lambda server: server.first_report(
            "POST", "/v1/reports/drop", lambda number: {"numbers": [number], "reason": REASON}
        ),
    ),
    *(
        Call(f"{thing} add and remove", added_and_removed(path, body))
        for thing, path, body in ADDED
    ),
    Call("account set", change("PATCH", "/v1/accounts/account2", lambda n: {"note": f"note {n}"})),
    Call(
        "domain set",
        change("PATCH", "/v1/domains/d1.example", lambda n: {"allow": [f"192.0.2.{n % 250}"]}),
    ),
    Call(
        "domain set of the longest list",
        change("PATCH", f"/v1/domains/{LISTED}", lambda n: {"message_size": 9999 + n}),
    ),
    Call("domain list, after a change", get("/v1/domains", account="account1")),
    Call(
        "recipient add",
        change("PATCH", f"/v1/domains/{LISTED}/recipients", lambda n: {"add": [f"new{n}"]}),
    ),
    Call("recipient replace", change("PUT", f"/v1/domains/{LISTED}/recipients", mailboxes)),
    Call("reload", Server.reload),
    Call("release of a domain", lambda server: server.release("d1.example")),
    Call("release of the largest account", lambda server: server.release("#account1")),
    Call("drain list, after a release", get("/v1/drains")),
    Call("nothing, after a release", lambda _: time.sleep(1.0)),
    Call("status, after a release", get("/v1/status")),
)


# The table


@dataclass(slots=True)
class Found:
    """The results of the rounds for one call, in seconds."""

    waits: list[float] = field(default_factory=list)  # the longest of each round
    took: list[float] = field(default_factory=list)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Return milliseconds that others waited, median and worst, and the seconds it took."""
        median, worst = statistics.median(self.waits) * 1000, max(self.waits) * 1000
        took = sorted(self.took)
        p95 = took[math.ceil(len(took) * 0.95) - 1]
        return f"{median:.0f}", f"{worst:.0f}", f"{statistics.median(took):.2f}", f"{p95:.2f}"


def measure(server: Server, port: int, calls: Sequence[Call], rounds: int) -> dict[str, Found]:
    """Make every call in each round, and say how long others waited for each."""
    windows: list[tuple[str, float, float]] = []
    with waiting(port) as end:
        for _ in range(rounds):
            for call in calls:
                time.sleep(PAUSE)
                began = time.monotonic()
                call.make(server)
                windows.append((call.name, began, time.monotonic()))
            server.until_idle()
        time.sleep(PAUSE)
        spells = end()
    found: defaultdict[str, Found] = defaultdict(Found)
    for name, began, ended in windows:
        inside = (
            done - said for said, done in spells if done >= began and said <= ended + PAUSE / 2
        )
        found[name].waits.append(max(inside))
        found[name].took.append(ended - began)
    return found


def as_markdown(found: dict[str, Found]) -> str:
    """Return the table."""
    lines = [
        "| call | others wait, ms: median | worst | it takes, s: median | p95 |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [f"| {name} | {' | '.join(one.cells)} |" for name, one in found.items()]
    return "\n".join(lines)


def run(given: argparse.Namespace, calls: Sequence[Call]) -> str:
    """Fill a store, have it served, and return the table."""
    with Installation(delivery={"patience": 0.0}, more=SETTINGS) as restante:
        restante.hosts(FIRST, AWAY)
        restante.hosts(LISTED, AWAY, "--recipients", "list")
        restante.start()
        send(restante.mx, f"reader@{FIRST}", content=message("first"))
        restante.stop()
        fill(database_in(restante.directory / "data"), given.domains, given.messages)
        restante.start()
        put_first(os.getpid(), restante.pid)
        server = Server(restante)
        found = measure(server, restante.mx_port, calls, given.rounds)
        print(f"operations that no call used: {', '.join(server.not_asked())}", file=sys.stderr)
        stalls = [line["seconds"] for line in restante.events("loop-stalled")]
    print(f"loop-stalled in the log, seconds: {stalls or 'never'}", file=sys.stderr)
    return as_markdown(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--calls",
        default="*",
        metavar="PATTERN",
        help="only those that match; | parts several patterns",
    )
    parser.add_argument(
        "--dir", type=Path, default=Path("/var/tmp"), help="where the store is to lie"
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the table into docs/benchmarks.md"
    )
    given = parser.parse_args()
    tempfile.tempdir = str(given.dir)
    patterns = given.calls.split("|")
    calls = [
        one
        for one in (*READING, *CHANGING)
        if any(fnmatch.fnmatch(one.name, each) for each in patterns)
    ]
    machine = describe(given.dir)
    table = run(given, calls)
    print(table)
    if given.publish:
        facts = {name: machine[name] for name in ("date", "processor", "Python", "Restante")}
        command = f"python -m bench.stalls {' '.join(sys.argv[1:])}"
        publish_stalls(
            command, facts, f"{given.domains:,} domains and {given.messages:,} held messages", table
        )


if __name__ == "__main__":
    main()
