"""Several workers on one machine: one port, a kill of each process, a reload and a stop."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.installation import ALPHA, HOST, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import is_free
from tests.acceptance.peers.programs import PLACES, require_plain_user
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.session import Session
from tests.acceptance.session_trace import tracing

USER: Final = "nobody"
DOMAIN: Final = "alpha.example"
WORKERS: Final = (1, 2)
COUNT: Final = 300
CONNECTIONS: Final = 40  # so many reach both workers, but for one time in 10^11
NAMES: Final = {f"{socket.gethostname()}:w{number}" for number in WORKERS}
OUR_NAME: Final = re.compile(rb"^\tby mx2\.example\.net with \w+ id (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def primary() -> Iterator[SmtpSink]:
    """A primary that keeps what it takes."""
    with SmtpSink(keep_content=True) as primary:
        primary.start()
        yield primary


@pytest.fixture(scope="module")
def restante(database: str, primary: SmtpSink) -> Iterator[Installation]:
    """Two workers of a plain user on a port that only root may bind."""
    require_plain_user(USER)
    port = next(port for port in range(1023, 512, -1) if is_free(HOST, port))
    with Installation(user=USER, mx_port=port, database=database, top="workers = 2") as restante:
        start(restante)
        restante.hosts(DOMAIN, at(primary))
        yield restante


def start(restante: Installation) -> None:
    """Start the server, and return when both workers serve."""
    before = len(restante.events("server-ready"))
    restante.start()
    eventually(
        lambda: len(restante.events("server-ready")) == before + len(WORKERS),
        what="both workers to serve",
    )


def workers(restante: Installation) -> dict[int, int]:
    """Return the processes of the workers by their numbers; each has its slot open."""
    children = Path(f"/proc/{restante.pid}/task/{restante.pid}/children").read_text().split()
    found = {}
    for process in map(int, children):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            if match := re.search(r"state/(\d+)/slot$", str(descriptor.readlink())):
                found[int(match[1])] = process
    return found


def nodes(restante: Installation) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in restante.shown("node", "list")}


def answering_workers(restante: Installation) -> set[int]:
    """Return the workers that log the session of some connections."""
    seen = len(restante.events("session-closed"))
    for _ in range(CONNECTIONS):
        with Session(restante.mx) as sender:
            assert sender.say("NOOP").startswith(b"250")
    eventually(
        lambda: len(restante.events("session-closed")) >= seen + CONNECTIONS,
        what="the sessions to be logged",
    )
    return {event["worker"] for event in restante.events("session-closed")[seen:]}


def test_both_workers_serve_one_port_as_nodes_of_one_store(restante: Installation) -> None:
    assert answering_workers(restante) == set(WORKERS)
    assert nodes(restante).keys() == NAMES
    assert {node["state"] for node in nodes(restante).values()} == {"serving"}
    for process in (restante.pid, *workers(restante).values()):
        assert uid_of(process) != 0


def uid_of(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("\nUid:")[1].split()[0])


def test_each_worker_answers_commands_alone_too(restante: Installation) -> None:
    for number in WORKERS:
        own = restante.directory / "state" / str(number) / "control.sock"
        listed = restante.shown("--socket", str(own), "node", "list")
        [answering] = [node["name"] for node in listed if node["is_own"]]
        assert answering.endswith(f":w{number}")


def test_a_trace_shows_the_sessions_of_all_workers(restante: Installation) -> None:
    with tracing(restante, "--json") as lines:
        assert {"worker", "workers"} <= json.loads(lines.readline()).keys()  # of the other one
        assert answering_workers(restante) == set(WORKERS)
        told = (json.loads(line).get("text", "") for line in lines)
        ends = itertools.islice((text for text in told if text.startswith("closed")), CONNECTIONS)
        assert len(list(ends)) == CONNECTIONS


def test_a_killed_worker_is_back_in_its_place_and_nothing_is_lost(
    restante: Installation, primary: SmtpSink
) -> None:
    begun, before = primary.count(), workers(restante)
    ready = len(restante.events("server-ready", worker=2))
    sending = threaded_send(restante)
    eventually(lambda: restante.held(DOMAIN) > COUNT // 10, what="mail to arrive")
    os.kill(before[2], signal.SIGKILL)
    assert restante.wait_for_event("worker-ended", worker=2)["reason"] == "signal 9"
    with Session(restante.mx) as sender:  # the other one goes on
        assert sender.say("NOOP").startswith(b"250")
    eventually(
        lambda: len(restante.events("server-ready", worker=2)) > ready,
        what="the worker to be back",
    )
    output, _ = sending.communicate(timeout=60)
    after = workers(restante)
    assert (after[1], after[2] != before[2]) == (before[1], True)
    assert nodes(restante).keys() == NAMES  # no third one: it has its slot again
    assert answering_workers(restante) == set(WORKERS)

    acknowledged = {event["message"] for event in restante.events("mail-held")}
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    eventually(lambda: restante.held(DOMAIN) == 0, what="all mail to leave")
    got = {name.decode() for raw in primary.messages() for name in OUR_NAME.findall(raw)}
    assert acknowledged <= got
    assert primary.count() - begun >= COUNT // 10, output


def threaded_send(restante: Installation) -> subprocess.Popen[str]:
    """Send mail over many connections, in the background. Some fail when a worker is killed."""
    return subprocess.Popen(
        [
            "smtp-source",
            *("-s", "10", "-l", "2000", "-m", str(COUNT), "-f", REVERSE_PATH),
            *("-t", f"reader@{DOMAIN}", f"{HOST}:{restante.mx_port}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": PLACES},
    )


def test_a_reload_reaches_all_and_a_later_worker_too(restante: Installation) -> None:
    reloads = len(restante.events("server-reloaded"))
    restante.certify()
    restante.ask_to_reload()
    eventually(
        lambda: len(restante.events("server-reloaded")) == reloads + 2, what="both to reload"
    )
    assert all(not each["restart_for"] for each in restante.events("server-reloaded"))
    os.kill(workers(restante)[1], signal.SIGKILL)
    eventually(
        lambda: len(restante.events("server-reloaded", worker=1)) > (reloads + 2) // 2,
        what="the new worker to reload",
    )
    for _ in range(10):  # the new certificate, at either worker
        with Session(restante.smtps) as asker:
            assert asker.authenticate(ALPHA).startswith(b"235")


def test_a_worker_that_is_retired_stays_away_until_a_restart(restante: Installation) -> None:
    [second] = [name for name in NAMES if name.endswith("2")]
    restante.do("node", "retire", second, "--reason", "to see it")
    event = restante.wait_for_event("worker-ended", worker=2, reason="exit code 0")
    assert "restart_after" not in event
    assert answering_workers(restante) == {1}
    restante.stop()
    start(restante)
    assert answering_workers(restante) == set(WORKERS)
    assert nodes(restante).keys() == NAMES


def test_a_stop_ends_all(restante: Installation) -> None:
    processes = workers(restante).values()
    restante.stop()
    assert not any(Path(f"/proc/{process}").exists() for process in processes)
    assert not list((restante.directory / "state").rglob("control.sock"))
    start(restante)


def test_without_their_supervisor_all_workers_end(
    restante: Installation, primary: SmtpSink
) -> None:
    assert send(restante.mx, f"reader@{DOMAIN}", content=message("kept")).returncode == 0
    processes = workers(restante).values()
    stopped = len(restante.events("server-stopped"))
    os.kill(restante.pid, signal.SIGKILL)
    eventually(
        lambda: len(restante.events("server-stopped")) == stopped + len(WORKERS),
        what="the workers to stop in good order",
    )
    eventually(
        lambda: not any(uid_exists(process) for process in processes), what="the processes to end"
    )
    restante.kill()
    start(restante)
    assert restante.held(DOMAIN) == 1


def uid_exists(process: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_a_store_on_sqlite_has_no_workers(tmp_path: Path) -> None:
    with Installation() as alone:
        alone.config.write_text(f"workers = 2\n{alone.config.read_text()}")
        for words in (("config", "check"), ("serve",)):
            ended = alone.run(*words)
            assert ended.returncode == 78
            assert "workers = 2: needs a store on PostgreSQL" in ended.stderr
