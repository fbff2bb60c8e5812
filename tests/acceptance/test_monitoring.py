"""The dashboard and the alerts of contrib, asked of a real Prometheus that reads a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]

from tests.acceptance.installation import CHECKOUT, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.prometheus import Prometheus, promtool
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

ALERTS: Final = CHECKOUT / "contrib/prometheus/alerts.yml"
ALERT_TESTS: Final = ALERTS.with_name("alerts_test.yml")
DASHBOARD: Final = CHECKOUT / "contrib/grafana/restante.json"
MORE: Final = """
[telemetry]
metrics = "127.0.0.1:0"
"""
PROBES: Final = {"probe_pause": 0.2, "longest_probe_pause": 0.5}
VARIABLES: Final = {
    "$job": "restante",
    "$instance": ".*",
    "$domain": ".*",
    "$__rate_interval": "1m",
}
# Queries without an answer on this server, with the reason.
EMPTY: Final = {
    "Time since the last whole check": "the first check of the store has not ended yet",
    "Time since the last drill that passed": "no domain was drilled",
    "Servers of the store, by state": "the store has one server",
    "Clock ahead of the database": "there is no database",
}


class Query(NamedTuple):
    """A query of the dashboard, as Prometheus gets it."""

    panel: str
    text: str


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return read


def filled_in(text: str) -> str:
    """Return a query with the values that Grafana gives to its variables."""
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


def queries() -> list[Query]:
    return [
        Query(panel["title"], filled_in(target["expr"]))
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def alerts() -> list[str]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    """A Prometheus that has seen mail come, leave, and wait for a primary that is away."""
    with (
        Installation(more=MORE, delivery=PROBES) as restante,
        SmtpSink() as sink,
        SmtpSink() as off,
    ):
        login = restante.hosts("alpha.example", at(sink), "--quota", "1M")
        restante.hosts("beta.example", at(off), "--hold", "on-return")
        sink.start()
        restante.start()
        [ready] = restante.events("server-ready")
        with Prometheus(ready["metrics"][0], ALERTS) as prometheus:
            eventually(lambda: prometheus.ask("up == 1"), what="the first scrape")
            send(restante.mx, "reader@alpha.example", content=message("one"))
            send(restante.mx, "reader@beta.example", content=message("two"))
            with Session(restante.smtps) as asker:
                assert asker.authenticate(login).startswith(b"235")
                assert asker.say("ETRN alpha.example").startswith(b"25")
                asker.say("QUIT")
            restante.wait_for_event("drain-finished", domain="alpha.example")
            restante.wait_for_event("primary-away")
            moved = "rate(restante_messages_delivered_total[1m]) > 0"
            away = "restante_domain_destination_up == 0"
            for query in (moved, away):
                eventually(partial(prometheus.ask, query), what=query)
            yield prometheus


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.text)
def test_each_query_of_the_dashboard_has_an_answer(prometheus: Prometheus, query: Query) -> None:
    if query.panel in EMPTY:
        assert not prometheus.ask(query.text), query
    else:
        eventually(partial(prometheus.ask, query.text), what=f"an answer to {query}")


def test_the_dashboard_shows_the_mail(prometheus: Prometheus) -> None:
    def value(query: str) -> float:
        [sample] = eventually(partial(prometheus.ask, query), what=query)
        return float(sample["value"][1])

    assert value("restante_held_messages") == 1
    assert value('restante_domain_held_messages{domain="beta.example"}') == 1
    assert value('restante_domain_destination_up{domain="beta.example"}') == 0
    assert 0 < value('restante_domain_oldest_message_age_seconds{domain="beta.example"}') < 600
    assert value('restante_domain_messages_delivered_total{domain="alpha.example"}') == 1
    assert value('restante_domain_quota_used_ratio{domain="alpha.example"}') == 0


def test_each_variable_of_the_dashboard_has_values(prometheus: Prometheus) -> None:
    texts = [one["definition"] for one in dashboard()["templating"]["list"] if "definition" in one]
    assert len(texts) == 3
    for text in texts:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", filled_in(text))
        assert found
        selector, label = found.groups()
        assert all(sample["metric"][label] for sample in prometheus.ask(selector)), text


def test_the_dashboard_is_in_good_order() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    titles = {panel["title"] for panel in panels}
    assert titles >= EMPTY.keys()
    assert len(queries()) > 50
    for query in queries():
        assert "$" not in query.text
        assert 'job="restante"' in query.text
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places), "two panels overlap"
    assert max(x for x, _ in places) < 24


def test_prometheus_takes_every_alert_and_none_fires_at_once(prometheus: Prometheus) -> None:
    def states() -> dict[str, tuple[str, str]]:
        return {rule["name"]: (rule["health"], rule["state"]) for rule in prometheus.rules()}

    expected = dict.fromkeys(alerts(), ("ok", "inactive"))
    expected["RestantePrimaryAway"] = ("ok", "pending")  # it is away, and has mail
    eventually(lambda: states() == expected, what="the rules to be evaluated")


def test_each_alert_fires_for_its_trouble_and_for_nothing_else() -> None:
    ended = promtool("test", "rules", ALERT_TESTS)
    assert ended.returncode == 0, ended.stdout


def test_each_alert_is_tested_both_ways() -> None:
    tests = yaml.safe_load(ALERT_TESTS.read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case.get("exp_alerts")}
    quiet = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert firing == quiet == set(alerts())


def test_a_wrong_alert_is_noticed(tmp_path: Any) -> None:
    """The test of the alerts is one that can fail."""
    wrong = ALERTS.read_text(encoding="utf-8").replace("> 0.9", "> 0.99")
    (tmp_path / ALERTS.name).write_text(wrong)
    (tmp_path / ALERT_TESTS.name).write_text(ALERT_TESTS.read_text(encoding="utf-8"))
    ended = promtool("test", "rules", tmp_path / ALERT_TESTS.name)
    assert ended.returncode != 0
    assert "RestanteDomainFillsUp" in ended.stdout
