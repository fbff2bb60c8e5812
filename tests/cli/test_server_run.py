from collections.abc import Sequence
from pathlib import Path

import pytest

from restante.cli import main, server_run
from restante.cli.failures import Failure
from restante.cli.server_run import PlainServe, plain_serve


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "/etc/restante/restante.toml", "serve"],
        ["--config=/etc/restante/restante.toml", "serve"],
        ["serve", "--config", "/etc/restante/restante.toml"],
        ["serve", "--config=/etc/restante/restante.toml"],
    ],
)
def test_the_command_lines_of_units_need_no_library(arguments: Sequence[str]) -> None:
    assert plain_serve(arguments) == PlainServe(Path("/etc/restante/restante.toml"))


def test_the_configuration_may_be_found_by_the_server() -> None:
    assert plain_serve(["serve"]) == PlainServe(None)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["status"],
        ["serve", "--help"],
        ["serve", "--config"],
        ["serve", "--config", ""],
        ["serve", "--config="],
        ["--config", "serve"],
        ["--config", "--socket", "serve"],
        ["--config", "a", "serve", "--config", "b"],
        ["serve", "serve"],
        ["serve", "--conf", "a"],
        ["--config", "a", "status"],
        ["serve", "a", "b"],
    ],
)
def test_all_other_command_lines_are_left_to_the_library(arguments: Sequence[str]) -> None:
    assert plain_serve(arguments) is None


def test_each_error_in_the_configuration_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.toml"
    assert main(["--config", str(missing), "serve"]) == 78
    plain = capsys.readouterr()
    assert main(["--config", str(missing), "serve", "--config", str(missing)]) == 78
    assert capsys.readouterr() == plain
    assert str(missing) in plain.err
    assert plain.err.count("\n") == 1


def test_an_interrupt_before_the_server_runs_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_file: Path | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server_run, "read_and_check", interrupt)
    assert main(["serve"]) == 130
    assert capsys.readouterr().err == "restante: stopped; nothing was changed\n"


def test_both_ways_run_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Path | None]()

    def note(file: Path | None) -> None:
        asked.append(file)
        raise Failure(78, "noted")  # type: ignore[arg-type]

    monkeypatch.setattr(server_run, "read_and_check", note)
    assert main(["--config", "a.toml", "serve"]) == 78
    assert main(["--config", "b.toml", "serve", "--config", "a.toml"]) == 78
    assert asked == [Path("a.toml")] * 2
