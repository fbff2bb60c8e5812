"""A first measurement beside Postfix: taking 4 KiB messages, and handing them over to a local sink.

    .venv/bin/python -m bench.first_look [ROUNDS]         (as root, from the top of the repository)

Both servers keep every message on the same disk with a sync before 250, and take turns, round by round. Postfix defers
what it takes and is then told to deliver; Restante holds, and is then told to release. A rate counts only when every
message has come out at the sink. Read medians and ratios, not single figures: machines are noisy.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.programs import run
from tests.acceptance.peers.sink import SmtpSink

DOMAIN = "held.example"
COUNT = 10_000
SIZE = 4096
HOST = "127.0.0.1"
RESTANTE = Path(sys.executable).with_name("restante")


class Postfix:
    """A private Postfix that defers mail for the domain until it is told to deliver."""

    name = "Postfix"

    def __init__(self, sink: SmtpSink) -> None:
        settings = {
            "relay_domains": DOMAIN,
            "relay_transport": f"relay:[{HOST}]:{sink.port}",
            "relay_recipient_maps": "",
            "in_flow_delay": "0",
            "defer_transports": "relay",
            "default_process_limit": "400",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
            "minimal_backoff_time": "3600s",
            "maximal_backoff_time": "7200s",
        }
        self._server = PostfixPrimary([], settings=settings)
        self.port = self._server.port

    def start(self) -> None:
        """Start with an empty queue."""
        self._server.settings["defer_transports"] = "relay"
        self._server.start()

    def prepare_release(self) -> None:
        """Wait until everything is deferred: only then can it be told to deliver."""
        eventually(lambda: self._queued("deferred") == COUNT, what="deferral of everything", timeout=300)
        main = self._top / "etc" / "main.cf"
        main.write_text(main.read_text().replace("defer_transports = relay", "defer_transports ="))
        os.utime(main, (0, 0))
        run("postfix", "-c", self._top / "etc", "reload")

    def release(self) -> None:
        """Deliver everything now."""
        run("postqueue", "-c", self._top / "etc", "-f")

    def stop(self) -> None:
        """Stop."""
        self._server.stop()

    def close(self) -> None:
        """Stop and remove everything."""
        self._server.__exit__()

    @property
    def _top(self) -> Path:
        return self._server.log_path.parent

    def _queued(self, queue: str) -> int:
        return sum(len(files) for _, _, files in os.walk(self._top / "queue" / queue))


class Restante:
    """The server, made by `restante init` for each round."""

    name = "Restante"

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink
        self.port = free_port(HOST)

    def start(self) -> None:
        """Start with an empty store."""
        self._directory = Path(tempfile.mkdtemp(prefix="restante-bench-"))
        self._run("init", "--dir", str(self._directory), "--hostname", "mx2.example.net", config=False)
        self._config = self._directory / "restante.toml"
        text = self._config.read_text().replace(f"{HOST}:2525", f"{HOST}:{self.port}")
        self._config.write_text(text.replace(f"{HOST}:4465", f"{HOST}:{free_port(HOST)}"))
        self._run("account", "add", "bench")
        self._run(
            "domain", "add", DOMAIN, "--account", "bench", "--destination", f"{HOST}:{self._sink.port}", "--allow", HOST
        )
        log = self._directory / "log"
        with log.open("w") as lines:
            self._server = subprocess.Popen([RESTANTE, "--config", self._config, "serve"], stderr=lines)
        eventually(lambda: "server-ready" in log.read_text(), what="Restante to be ready", timeout=20)

    def prepare_release(self) -> None:
        """Check that all of it is held."""
        status = json.loads(self._run("status", "--json"))
        held = sum(domain["messages"] for domain in status["domains"])
        assert held == COUNT, f"{held} messages are held"

    def release(self) -> None:
        """Hand everything over now."""
        transport = httpx.HTTPTransport(uds=str(self._directory / "data" / "control.sock"))
        with httpx.Client(transport=transport, base_url="http://restante") as client:
            client.post("/v1/release", json={"nodes": [DOMAIN], "reason": "bench"}).raise_for_status()

    def stop(self) -> None:
        """Stop."""
        self._server.terminate()
        self._server.wait()
        shutil.rmtree(self._directory)

    def close(self) -> None:
        """Nothing is left."""

    def _run(self, *words: str, config: bool = True) -> str:
        options = ["--config", str(self._config)] if config else []
        return subprocess.run([RESTANTE, *options, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def send(port: int, sessions: int, *, keeps_connections: bool) -> None:
    """Send the load with smtp-source."""
    kept = ["-d"] if keeps_connections else []
    load = ["-s", str(sessions), "-m", str(COUNT), "-l", str(SIZE)]
    sent = run(
        "smtp-source", *kept, *load, "-f", "a@sender.example", "-t", f"b@{DOMAIN}", f"{HOST}:{port}", timeout=600
    )
    assert sent.returncode == 0, sent.stdout


def seconds(work: Callable[[], object]) -> float:
    """Time a piece of work."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@contextmanager
def running(server: Postfix | Restante) -> Iterator[None]:
    """Run a server for the time of a block."""
    server.start()
    try:
        yield
    finally:
        server.stop()


def measure(server: Postfix | Restante, sink: SmtpSink) -> Iterator[tuple[str, float]]:
    """Yield messages per second for each kind of work."""
    for row, sessions, kept in (
        ("accept, 20 sessions, a connection per message", 20, False),
        ("accept, 100 sessions, a connection per message", 100, False),
        ("accept, 20 sessions, kept connections", 20, True),
    ):
        with running(server):
            yield row, COUNT / seconds(partial(send, server.port, sessions, keeps_connections=kept))
            server.prepare_release()
            if kept:
                sink.stop()
                sink.start()
                yield "drain to a local sink", COUNT / seconds(partial(_drain, server, sink))
            else:
                _empty(server, sink)


def _drain(server: Postfix | Restante, sink: SmtpSink) -> None:
    server.release()
    sink.wait_for(COUNT, timeout=600)


def _empty(server: Postfix | Restante, sink: SmtpSink) -> None:
    """Hand over what one row took, so that the next begins with an empty queue."""
    sink.stop()
    sink.start()
    _drain(server, sink)


def main() -> None:
    """Measure and print one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rates: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with SmtpSink() as sink:
        sink.start()
        servers = [Postfix(sink), Restante(sink)]
        for _ in range(rounds):
            for server in servers:
                for row, rate in measure(server, sink):
                    rates[row][server.name].append(rate)
                    print(f"{server.name:9} {rate:8.0f}/s  {row}", file=sys.stderr, flush=True)
        for server in servers:
            server.close()
    print(f"{'messages per second, median of ' + str(rounds):50} Postfix  Restante  ratio")
    for row, by_server in rates.items():
        postfix, restante = (statistics.median(by_server[name]) for name in ("Postfix", "Restante"))
        print(f"{row:50} {postfix:7.0f} {restante:9.0f} {restante / postfix:6.1f}")


if __name__ == "__main__":
    main()
