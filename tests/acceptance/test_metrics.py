"""The metrics of a real server, read as Prometheus reads them, beside what was done to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from restante import __version__
from restante.config.self_signed import SELF_SIGNED_DAYS
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.session import Session, plain_response

SESSIONS_LIMIT: Final = 5
DAY: Final = 86400
MORE: Final = f"""
[reception]
connections_limit = {SESSIONS_LIMIT}

[telemetry]
metrics = "127.0.0.1:0"
"""

Samples = dict[str, float]


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """A server that shows its metrics, on a port that it chose."""
    with Installation(more=MORE) as restante:
        restante.start()
        yield restante


def by_tcp(restante: Installation) -> Samples:
    """Read them as Prometheus does."""
    [*_, ready] = restante.events("server-ready")
    return parsed(httpx.get(f"http://{ready['metrics'][0]}/metrics", timeout=90))


def by_control_socket(restante: Installation) -> Samples:
    """Read them as `curl --unix-socket` does."""
    transport = httpx.HTTPTransport(uds=str(restante.socket))
    with httpx.Client(transport=transport, base_url="http://restante", timeout=90) as client:
        return parsed(client.get("/metrics"))


def parsed(answer: httpx.Response) -> Samples:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        spelled(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def spelled(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name


def moved(before: Samples, after: Samples) -> Samples:
    """Return what of Restante's own is another number now, and by how much."""
    assert before.keys() <= after.keys()
    varying = ("age_seconds", "batch_seconds", "clock_offset", "loop_lag", "disk_free")
    return {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if value != before.get(name, 0)
        and name.startswith("restante_")
        and not any(word in name for word in varying)
    }


def test_an_idle_server_says_who_it_is(restante: Installation) -> None:
    samples = by_tcp(restante)
    assert samples[f'restante_info{{version="{__version__}"}}'] == 1
    assert samples["restante_held_messages"] == samples["restante_oldest_message_age_seconds"] == 0
    assert abs(time.time() - samples["process_start_time_seconds"]) < 600
    assert samples["restante_certificate_expiry_timestamp_seconds"] > time.time() + DAY
    assert samples["process_resident_memory_bytes"] > 2**20
    assert samples["restante_room_short"] == 0
    assert samples["restante_store_away"] == 0


def test_both_doors_show_the_same(restante: Installation) -> None:
    """Except for the processor time, and the files that the scrapes themselves keep open."""
    names = "the same names at both doors"  # some are there from the first heartbeat on
    eventually(lambda: by_tcp(restante).keys() == by_control_socket(restante).keys(), what=names)
    tcp, control = by_tcp(restante), by_control_socket(restante)
    assert moved(tcp, control) == {}


def test_events_are_counted(restante: Installation) -> None:
    """Each of holding, refusing, shedding, guessing, asking, delivering moves only its numbers."""
    with SmtpSink() as sink:
        login = restante.hosts("alpha.example", at(sink))
        before = by_tcp(restante)
        for token in ("one", "two", "three"):
            send(restante.mx, "reader@alpha.example", content=message(token))
        be_refused(restante)
        held = by_tcp(restante)
        assert held["restante_held_messages"] == 3
        assert held['restante_domain_held_messages{domain="alpha.example"}'] == 3
        assert held["restante_stored_octets"] > 3 * len(message("one"))
        assert 0 < held["restante_oldest_message_age_seconds"] < 600

        be_shed(restante)
        with Session(restante.smtps) as asker:
            wrong = replace(login, password="guessed")
            assert asker.say(f"AUTH PLAIN {plain_response(wrong)}").startswith(b"535")
            assert asker.authenticate(login).startswith(b"235")
            assert by_tcp(restante)['restante_sessions_open{service="smtps"}'] == 1
            sink.start()
            assert asker.say("ETRN alpha.example").startswith(b"253")
            assert asker.say("ETRN beta.example").startswith(b"459")
            asker.say("QUIT")
        restante.wait_for_event("drain-finished", domain="alpha.example")
        eventually(lambda: not sum(sessions(by_tcp(restante))), what="the sessions to end")

    changes = moved(before, by_tcp(restante))
    lines = {
        name: changes.pop(name)
        for name in list(changes)
        if name.startswith("restante_log_lines_total")
    }
    assert lines['restante_log_lines_total{event="mail-held"}'] == 3
    of_domain = {name: value for name, value in changes.items() if "restante_domain_" in name}
    changes = {name: value for name, value in changes.items() if name not in of_domain}
    label = '{domain="alpha.example"}'
    assert of_domain.pop(f"restante_domain_last_release_timestamp_seconds{label}") > 1.7e9
    assert of_domain == {f"restante_domain_messages_delivered_total{label}": 3}
    assert changes.pop("restante_octets_held_total") > 3 * len(message("one"))
    ended = 'restante_sessions_ended_total{{end="{}",in_content="false"}}'
    assert changes == {
        "restante_messages_held_total": 3,
        "restante_batches_held_total": 3,
        'restante_recipients_refused_total{code="550"}': 1,
        'restante_connections_shed_total{cause="sessions"}': 2,
        'restante_authentications_total{mechanism="PLAIN",result="refused"}': 1,
        'restante_authentications_total{mechanism="PLAIN",result="accepted"}': 1,
        'restante_release_requests_total{result="granted"}': 1,
        'restante_release_requests_total{result="refused"}': 1,
        "restante_messages_delivered_total": 3,
        'restante_delivery_attempts_total{end="quit"}': len(
            restante.events("delivery-attempt", end="quit")
        ),
        ended.format("quit"): 5,  # 3 senders, 1 refused, the primary
        ended.format("closed-by-client"): SESSIONS_LIMIT,
    }


def sessions(samples: Samples) -> list[float]:
    return [value for name, value in samples.items() if name.startswith("restante_sessions_open")]


def be_refused(restante: Installation) -> None:
    """Be a host with mail for somebody else."""
    with Session(restante.mx) as session:
        session.say(f"MAIL FROM:<{REVERSE_PATH}>")
        assert session.say("RCPT TO:<x@elsewhere.example>").startswith(b"550")
        session.say("QUIT")


def be_shed(restante: Installation) -> None:
    """Connect twice while all sessions are in use. Return once that is counted and all left."""
    with ExitStack() as crowd:
        for _ in range(SESSIONS_LIMIT):
            crowd.enter_context(Session(restante.mx))
        for _ in range(2):
            with socket.create_connection(
                ("127.0.0.1", restante.mx_port), timeout=20
            ) as turned_away:
                assert turned_away.recv(100).startswith(b"421 4.3.2")
    eventually(lambda: not sum(sessions(by_tcp(restante))), what="the crowd to leave")
    eventually(
        lambda: sum(line["count"] for line in restante.events("connections-shed")) == 2,
        what="the shed to be counted",
    )


def test_a_new_certificate_and_a_restart_show(restante: Installation) -> None:
    before, ends = by_tcp(restante), "restante_certificate_expiry_timestamp_seconds"
    restante.certify_itself()
    restante.do("init", "--renew-certificate")
    assert by_tcp(restante)[ends] == before[ends], "the old one is in use"
    restante.reload()
    renewed = by_tcp(restante)
    assert moved(before, renewed)['restante_log_lines_total{event="server-reloaded"}'] == 1
    assert abs(renewed[ends] - time.time() - SELF_SIGNED_DAYS * DAY) < DAY
    restante.stop()
    restante.start()
    after = by_tcp(restante)
    assert after["process_start_time_seconds"] > before["process_start_time_seconds"]
    assert after["restante_messages_held_total"] == 0
