"""The log in a file, whose directory is missing at first, and is moved away at last."""

import json
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually

PLACE = 'style = "json"\nto = "file"\nfile = "logs/restante.log"'
OWNER = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def restante() -> Iterator[Installation]:
    with Installation(user=OWNER if os.geteuid() == 0 else "") as made:
        text = made.config.read_text()
        assert 'style = "json"' in text
        made.config.write_text(text.replace('style = "json"', PLACE))
        yield made


def events(log: Path) -> list[str]:
    """Return the names of the events in a file."""
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


def told(restante: Installation) -> list[str]:
    """Return the problems of the log, as the status has them."""
    problems = restante.shown("status")["health"]["problems"]
    return [each["text"] for each in problems if "the log" in each["text"]]


def test_a_log_whose_place_comes_and_goes(restante: Installation) -> None:
    directory = restante.directory / "logs"
    assert f"{directory} is not there" in restante.run("config", "check").stderr
    restante.start()
    assert [each["place"] for each in restante.events("log-diverted")] == [
        str(directory / "restante.log")
    ]
    assert [text.partition(" instead of ")[0] for text in told(restante)] == [
        "the log goes to standard error"
    ]

    directory.mkdir()
    shutil.chown(directory, OWNER)
    before = len(restante.events("server-reloaded"))
    restante.ask_to_reload()
    log = directory / "restante.log"
    eventually(lambda: log.exists() and "server-reloaded" in events(log), what="a line in the file")
    assert log.owner() == OWNER
    assert events(log)[0] == "server-reloaded"
    assert "log-restored" in events(log)
    assert len(restante.events("server-reloaded")) == before
    assert told(restante) == []

    moved = log.rename(log.with_suffix(".1"))
    restante.do("account", "add", "beta")
    assert events(log) == ["record-changed"]
    assert "record-changed" not in events(moved)
    shutil.rmtree(directory)  # so that the end is told on standard error
