"""`restante setup` as a command: an option for each question, and none without a terminal."""

from pathlib import Path

import pytest

from restante.cli.setup_answers import QUESTIONS
from restante.cli.setup_command import _OPTIONS
from tests.cli.conftest import Command


def test_every_question_has_an_option() -> None:
    named = {one.name for one in QUESTIONS} - {"service"}  # --no-service
    assert named == set(_OPTIONS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "cannot ask questions without a terminal; pass --yes"),
        (("--json",), "--json: has no room for questions; pass --yes too"),
    ],
)
def test_without_a_terminal_nobody_is_asked(
    tmp_path: Path, command: Command, words: tuple[str, ...], said: str
) -> None:
    refused = command("setup", "--dir", tmp_path / "i", *words)
    assert refused.code == 64
    assert said in refused.err
    assert not (tmp_path / "i").exists()


def test_a_choice_that_is_none_is_refused(command: Command, tmp_path: Path) -> None:
    refused = command("setup", "--yes", "--dir", tmp_path / "i", "--certificate", "acme2")
    assert refused.code == 64
    assert "did you mean acme" in refused.err
