"""The metrics of domains as text, read back by the parsers of the metrics library."""

import re
from dataclasses import replace
from typing import Final

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from restante.mail.address import canonical_domain
from restante.telemetry.domain_counts import DomainTotals
from restante.telemetry.domain_metrics import (
    DOMAIN_METRICS,
    LINES_AT_ONCE,
    OTHER,
    DomainFigures,
    domain_text,
)
from restante.telemetry.event_counts import Counts
from restante.telemetry.exposition import expose, with_more
from restante.telemetry.metrics import METRICS
from tests.telemetry.exposed import OPENMETRICS, STATE

ALPHA: Final = DomainFigures(
    "alpha.example",
    held=3,
    refused=1,
    octets=4096,
    oldest_age=60.5,
    totals=DomainTotals(7, 2, 1),
    is_up=True,
    drains=1,
    quota_used=0.25,
    last_release=1.7e9,
)
VALUES: Final = {
    "restante_domain_held_messages": 3,
    "restante_domain_refused_messages": 1,
    "restante_domain_stored_octets": 4096,
    "restante_domain_oldest_message_age_seconds": 60.5,
    "restante_domain_messages_delivered_total": 7,
    "restante_domain_recipients_deferred_total": 2,
    "restante_domain_recipients_refused_by_destination_total": 1,
    "restante_domain_destination_up": 1,
    "restante_domain_drains": 1,
    "restante_domain_quota_used_ratio": 0.25,
    "restante_domain_last_release_timestamp_seconds": 1.7e9,
}


def text(*domains: DomainFigures, is_openmetrics: bool = False) -> str:
    return "".join(domain_text(domains, is_openmetrics=is_openmetrics))


def test_each_figure_is_a_sample_of_its_domain() -> None:
    samples = [sample for family in read_text(text(ALPHA)) for sample in family.samples]
    assert {sample.name: sample.value for sample in samples} == VALUES
    assert all(sample.labels == {"domain": "alpha.example"} for sample in samples)


def test_unknown_facts_are_left_out() -> None:
    unknown = replace(ALPHA, oldest_age=None, is_up=None, quota_used=None, last_release=None)
    samples = [sample for family in read_text(text(unknown)) for sample in family.samples]
    assert {sample.name for sample in samples} == VALUES.keys() - {
        "restante_domain_oldest_message_age_seconds",
        "restante_domain_destination_up",
        "restante_domain_quota_used_ratio",
        "restante_domain_last_release_timestamp_seconds",
    }


def test_a_destination_that_is_away_is_0() -> None:
    assert 'destination_up{domain="alpha.example"} 0\n' in text(replace(ALPHA, is_up=False))


def test_both_formats_have_them_behind_the_others() -> None:
    plain, openmetrics = expose(Counts(), STATE), expose(Counts(), STATE, OPENMETRICS)
    plain = with_more(plain, [text(ALPHA).encode()])
    openmetrics = with_more(openmetrics, [text(ALPHA, is_openmetrics=True).encode()])
    expected = {metric.name for metric in (*METRICS, *DOMAIN_METRICS)}
    families = list(read_openmetrics(openmetrics.body.decode()))  # type: ignore[no-untyped-call]
    assert {family.name for family in families} == expected
    read = {sample.name for family in read_text(plain.body.decode()) for sample in family.samples}
    assert read >= VALUES.keys()


def test_more_domains_than_one_piece_are_all_there_and_no_piece_is_long() -> None:
    many = [replace(ALPHA, name=f"d{number}.example") for number in range(2 * LINES_AT_ONCE + 1)]
    pieces = list(domain_text(many, is_openmetrics=False))
    assert max(piece.count("\n") for piece in pieces) == LINES_AT_ONCE
    assert "".join(pieces).count("\nrestante_domain_drains{") == len(many)


def test_the_name_of_all_others_is_no_domain_and_names_are_escaped() -> None:
    try:
        canonical_domain(OTHER)
    except ValueError:
        pass
    else:
        raise AssertionError(OTHER)
    assert r'{domain="a\"b\\c\nd"}' in text(replace(ALPHA, name='a"b\\c\nd'))


def test_names_are_what_prometheus_wants() -> None:
    for metric in DOMAIN_METRICS:
        assert re.fullmatch(r"restante_domain(_[a-z]+)+", metric.name)
        assert not metric.name.endswith(("_total", "_info"))
