"""Health: the critical states, the warnings, and waiting mail, which is neither."""

from dataclasses import replace

import pytest

from restante.admin.health import HealthFacts, HealthLevel, judge

NOW = 1_760_000_000.0
DAY = 86400.0
WELL = HealthFacts(NOW, is_running=True, certificate_expires_at=NOW + 90 * DAY)

CASES = [
    (
        {"is_running": False, "certificate_expires_at": None},
        HealthLevel.CRITICAL,
        "no server is running",
    ),
    ({"store_failure": "disk I/O error"}, HealthLevel.CRITICAL, "the store failed: disk I/O error"),
    (
        {"store_absence": "timeout"},
        HealthLevel.CRITICAL,
        "because of the store: timeout; it is",
    ),
    (
        {"content_absence": "s3://mail: no answer in time"},
        HealthLevel.CRITICAL,
        "mail of 1 MiB or more is neither taken nor handed over, because of the object store: s3:",
    ),
    (
        {"is_room_short": True},
        HealthLevel.CRITICAL,
        "no mail is taken: less than reception.disk_reserve is free on the store's disk",
    ),
    (
        {"certificate_expires_at": NOW},
        HealthLevel.CRITICAL,
        "a certificate has expired; renew it and reload",
    ),
    (
        {"certificate_expires_at": NOW + 1.5 * DAY},
        HealthLevel.WARNING,
        "a certificate expires in 1 day;",
    ),
    (
        {"certificate_expires_at": NOW + 14 * DAY},
        HealthLevel.WARNING,
        "a certificate expires in 14 days;",
    ),
    (
        {"reload_failure": "one\ntwo"},
        HealthLevel.WARNING,
        "the last reload failed and changed nothing: one; two",
    ),
    (
        {"clock_leap": 4000 * DAY, "clock_trusted_from": 0.0},
        HealthLevel.WARNING,
        "ahead from the time that was expected; mail does not expire by it before 1970-01-01 00:00",
    ),
    (
        {"clock_leap": -DAY, "clock_trusted_from": 0.0},
        HealthLevel.WARNING,
        "the clock leapt 1 day back from the time that was expected;",
    ),
    (
        {"restart_for": ("user", "store")},
        HealthLevel.WARNING,
        "a restart is needed for user, store",
    ),
    (
        {"unread": ("delivery", "tls")},
        HealthLevel.WARNING,
        "the configuration file was changed and not read again: delivery, tls; reload the server",
    ),
    (
        {"file_error": "restante.toml:3: delivery.patience: is not a number"},
        HealthLevel.WARNING,
        "the configuration file has a mistake, and the server could not start again: restante.t",
    ),
    (
        {"is_file_changed": True},
        HealthLevel.WARNING,
        "the configuration file was changed, and the server may not read it: restart the server",
    ),
    (
        {"unread_certificates": ("tls/cert.pem", "tls/key.pem")},
        HealthLevel.WARNING,
        "certificate files were changed: tls/cert.pem, tls/key.pem; reload the server",
    ),
    (
        {"unread_certificates": ("tls/cert.pem",), "certificate_error": "tls/cert.pem: no PEM"},
        HealthLevel.WARNING,
        "certificate files were changed: tls/cert.pem; a reload or a start would refuse them: tls/",
    ),
    (
        {"config_warnings": ("tls/cert.pem: the certificate is for a.example",)},
        HealthLevel.WARNING,
        "tls/cert.pem: the certificate is for a.example",
    ),
    (
        {"damaged_messages": 1},
        HealthLevel.WARNING,
        "1 message is damaged: restante queue list --status d",
    ),
    (
        {"uncertain_messages": 2},
        HealthLevel.WARNING,
        "2 messages are uncertain, the destination may have them: restante queue list --status unc",
    ),
    (
        {"log_failure": "/log: No space left on device"},
        HealthLevel.WARNING,
        "the log goes to standard error instead of /log: No space left on device; it is tried",
    ),
    (
        {"notices_waiting": 3, "notices_since": NOW - 2 * 3600},
        HealthLevel.WARNING,
        "3 notices wait to be sent, the oldest for 2 hours: restante notice show-waiting",
    ),
]


def test_a_server_that_is_well_has_no_problems() -> None:
    health = judge(WELL)
    assert (health.level, health.problems) == (HealthLevel.OK, ())
    assert judge(replace(WELL, certificate_expires_at=NOW + 14.1 * DAY)).level is HealthLevel.OK


@pytest.mark.parametrize(("facts", "level", "text"), CASES)
def test_each_fact_is_judged(facts: dict[str, object], level: HealthLevel, text: str) -> None:
    health = judge(replace(WELL, **facts))  # type: ignore[arg-type]
    [problem] = health.problems
    assert (health.level, problem.level) == (level, level)
    assert text in problem.text
    assert "\n" not in problem.text


def test_the_worst_comes_first_and_gives_the_level() -> None:
    health = judge(replace(WELL, restart_for=("user",), is_room_short=True, damaged_messages=2))
    assert [problem.level for problem in health.problems] == [
        HealthLevel.CRITICAL,
        HealthLevel.WARNING,
        HealthLevel.WARNING,
    ]
    assert health.level is HealthLevel.CRITICAL


def test_a_notice_that_was_just_made_is_no_problem() -> None:
    facts = replace(WELL, notices_waiting=1, notices_since=NOW - 60)
    assert judge(facts).level is HealthLevel.OK
