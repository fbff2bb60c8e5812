"""The settings of the log."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from restante.config.log_settings import LogSettings


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, "standard error"),
        ({"to": "file", "file": "/var/log/r.log"}, "/var/log/r.log"),
        ({"to": "syslog"}, "syslog at /dev/log"),
        ({"to": "syslog", "syslog_socket": "/run/log"}, "syslog at /run/log"),
    ],
)
def test_a_place_is_told_to_people(settings: dict[str, Any], place: str) -> None:
    assert LogSettings.model_validate(settings).place == place


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"to": "file"}, "needs a file"),
        ({"file": "/var/log/r.log"}, "file has no use"),
        ({"to": "syslog", "file": "/var/log/r.log"}, "file has no use"),
        ({"syslog_socket": "/run/log"}, "syslog_socket has no use"),
    ],
)
def test_settings_of_another_place_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        LogSettings.model_validate(settings)


def test_a_file_starts_at_the_configuration() -> None:
    given = {"to": "file", "file": "r.log"}
    settings = LogSettings.model_validate(given, context={"directory": Path("/etc/r")})
    assert settings.file == Path("/etc/r/r.log")
