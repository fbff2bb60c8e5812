"""Traces of a real server, at a collector that takes them and at one that hangs."""

from __future__ import annotations

import socket
import subprocess
import sys

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session
from tests.telemetry.test_otlp_spans import collector


def telemetry(url: str) -> str:
    return f'[telemetry]\notlp = "{url}"\n'


def handed_over(restante: Installation, sink: SmtpSink) -> None:
    """Hold a message and have its primary ask for it."""
    login = restante.hosts("alpha.example", at(sink))
    sink.start()
    restante.start()
    send(restante.mx, "reader@alpha.example", content=message("one"))
    with Session(restante.smtps) as asker:
        assert asker.authenticate(login).startswith(b"235")
        assert asker.say("ETRN alpha.example").startswith(b"25")
        asker.say("QUIT")
    restante.wait_for_event("drain-finished", domain="alpha.example", delivered=1)


def test_a_release_is_one_trace_down_to_the_connection() -> None:
    with (
        collector() as collected,
        Installation(more=telemetry(collected.url)) as restante,
        SmtpSink() as sink,
    ):
        handed_over(restante, sink)
        eventually(lambda: len(collected.spans) == 3, what="three spans")
        spans = {span.name: span for span in collected.spans}
        assert spans.keys() == {"release", "drain", "connection"}
        assert len({span.trace_id for span in spans.values()}) == 1
        assert spans["drain"].parent_span_id == spans["release"].span_id
        assert spans["connection"].parent_span_id == spans["drain"].span_id
        drain, connection = spans["drain"], spans["connection"]
        assert drain.start_time_unix_nano <= connection.start_time_unix_nano
        assert connection.end_time_unix_nano <= drain.end_time_unix_nano


def test_a_collector_that_hangs_holds_up_neither_mail_nor_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Installation(more=telemetry(url)) as restante, SmtpSink() as sink:
            handed_over(restante, sink)


def test_without_traces_no_library_of_theirs_is_loaded() -> None:
    """Except for the API, which FastAPI loads by itself where it is installed."""
    code = (
        "import sys, restante.server.server_start, restante.config.config_check;"
        "theirs = ('opentelemetry.sdk', 'opentelemetry.exporter', 'requests');"
        "print([name for name in sys.modules if name.startswith(theirs)])"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"
