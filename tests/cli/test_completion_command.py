"""The scripts for shells: printed as they are, and run by the shell that is always there."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_asks_the_program_that_is_typed(command: Command, shell: str) -> None:
    printed = command("completion", shell)
    assert (printed.code, printed.err) == (0, "")
    assert "--complete" in printed.out
    assert ":files" in printed.out


def test_another_shell_is_an_error(command: Command) -> None:
    assert command("completion", "ksh").code == 64


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("domain show al", "alpha.example"),
        ("queue list --status re", "refused"),
        ("account sh", "show"),
        ("apply ", "files"),
        ("nothing ", ""),
    ],
)
def test_bash_offers_the_candidates(
    admin: AdminWorld, command: Command, tmp_path: Path, words: str, offered: str
) -> None:
    program = tmp_path / "restante"
    program.write_text(
        f"#!{sys.executable}\n"
        "from restante.cli import main, name_completion\n"
        "name_completion.ANSWER_SECONDS = 60\n"
        "main()\n"
    )
    program.chmod(0o755)
    typed = [str(program), *words.split(" ")]
    script = f"""
        {command("completion", "bash").out}
        compopt() {{ echo files; }}
        COMP_WORDS=({shlex.join(typed)}) COMP_CWORD={len(typed) - 1}
        _restante "${{COMP_WORDS[0]}}"
        printf '%s' "${{COMPREPLY[*]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == (offered, "")
