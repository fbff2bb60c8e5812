"""A reload: settings that it applies, and settings that wait for a restart."""

from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.reload_rules import (
    APPLIED_BY_RELOAD,
    NEED_RESTART,
    effective,
    settings_needing_restart,
)
from restante.config.schema import Config
from tests.config.files import installed


@pytest.fixture
def running(tmp_path: Path) -> Config:
    """A configuration that runs."""
    return load(installed(tmp_path), {})


def read(running: Config, **environ: str) -> Config:
    """Return the configuration after a change."""
    assert running.file is not None
    return load(running.file, environ)


def test_each_setting_is_of_one_kind() -> None:
    assert sorted([*APPLIED_BY_RELOAD, *NEED_RESTART]) == sorted(Config.model_fields)


@pytest.mark.parametrize(
    ("variable", "text", "waiting"),
    [
        ("RESTANTE_HOSTNAME", "other.example", ["hostname"]),
        ("RESTANTE_LOG__STYLE", "json", ["log"]),
        ("RESTANTE_UVLOOP", "false", ["uvloop"]),
        ("RESTANTE_HOSTNAME", "MX2.Example.net", []),  # another spelling of the same
        ("RESTANTE_RECEPTION__ERRORS_LIMIT", "7", []),
        ("RESTANTE_TLS__MINIMUM", "1.3", []),
    ],
)
def test_settings_that_wait_for_a_restart_are_named(
    running: Config, variable: str, text: str, waiting: list[str]
) -> None:
    assert settings_needing_restart(running, read(running, **{variable: text})) == waiting


def test_a_reload_keeps_the_settings_that_wait(running: Config) -> None:
    changed = read(running, RESTANTE_HOSTNAME="other.example", RESTANTE_RECEPTION__ERRORS_LIMIT="7")
    now = effective(running, changed, running.listen[:1])
    assert now.hostname == running.hostname
    assert now.reception.errors_limit == 7
    assert now.listen == running.listen[:1]
    assert settings_needing_restart(now, changed) == ["hostname"]
