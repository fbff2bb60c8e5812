"""`restante serve`: checks the configuration first, then runs the server with it."""

from pathlib import Path

import pytest

from restante.config.schema import Config
from restante.server import server_start
from tests.cli.conftest import Command


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The configurations that a server was started with; each server ends at once with 75."""
    started: list[Config] = []

    def serve(config: Config) -> int:
        started.append(config)
        return 75

    monkeypatch.setattr(server_start, "run_server", serve)
    return started


def test_the_server_runs_with_what_was_checked_and_its_code_is_ours(
    installation: Path, command: Command, started: list[Config]
) -> None:
    assert command("serve").code == 75
    [config] = started
    assert config.hostname == "mx2.example.net"


def test_with_a_mistake_no_server_is_started(
    installation: Path, command: Command, started: list[Config]
) -> None:
    file = installation / "restante.toml"
    file.write_text(file.read_text() + "\nnonsense = 1\n")
    failed = command("serve")
    assert failed.code == 78
    assert "nonsense" in failed.err
    assert started == []
