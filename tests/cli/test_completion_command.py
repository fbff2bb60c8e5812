"""The scripts for shells: printed as they are, and run by each shell."""

import contextlib
import os
import pty
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.peers.programs import require
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


def patient_program(directory: Path) -> Path:
    """Return a `restante` that waits for the server also on a busy machine."""
    program = directory / "restante"
    program.write_text(
        f"#!{sys.executable}\n"
        "from restante.cli import main, name_completion\n"
        "name_completion.ANSWER_SECONDS = 60\n"
        "main()\n"
    )
    program.chmod(0o755)
    return program


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
    typed = [str(patient_program(tmp_path)), *words.split(" ")]
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


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("domain show al", ["alpha.example"]),
        ("queue show ", ["11", "12"]),
        ("login list ", ["alpha"]),
        ("queue list --status=re", ["--status=refused"]),
        ("account sh", ["show\tShow one account."]),
        ("apply one.t", ["one.toml"]),
        ("nothing ", []),
    ],
)
def test_fish_offers_the_candidates(
    admin: AdminWorld, command: Command, tmp_path: Path, words: str, offered: list[str]
) -> None:
    (tmp_path / "one.toml").touch()
    (tmp_path / "restante.fish").write_text(command("completion", "fish").out)
    done = subprocess.run(
        [
            *(require("fish"), "--no-config", "--command"),
            f"source restante.fish; complete --do-complete 'restante {words}'",
        ],
        cwd=tmp_path,
        env=shell_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout.splitlines(), done.stderr) == (offered, "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("domain show al", "domain show alpha.example "),
        ("queue show ", "queue show 1"),  # 11 and 12
        ("login list ", "login list alpha "),
        ("queue list --status=re", "queue list --status=refused "),
        ("account sh", "account show "),
        ("apply one.t", "apply one.toml "),
        ("nothing ", "nothing "),
    ],
)
def test_zsh_completes_a_line_at_the_tab_key(
    admin: AdminWorld, command: Command, tmp_path: Path, words: str, completed: str
) -> None:
    (tmp_path / "one.toml").touch()
    (tmp_path / "_restante").write_text(command("completion", "zsh").out)
    (tmp_path / ".zshrc").write_text(ZSHRC)
    assert typed_in_zsh(tmp_path, f"restante {words}\t\x18") == f"restante {completed}"


ZSHRC = """
fpath=($PWD $fpath)
autoload -Uz compinit
compinit -u -D
show_line() { print -r -- "LINE[$BUFFER]"; exit }
zle -N show_line
bindkey '^I' complete-word
bindkey '^X' show_line
PS1='READY '
"""


def typed_in_zsh(directory: Path, text: str) -> str:
    """Type at the prompt of a zsh on a terminal, and return the line that ^X shows."""
    ours, terminal = pty.openpty()
    running = subprocess.Popen(
        [require("zsh"), "--no-global-rcs", "-i"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=directory,
        env={**shell_environment(directory), "ZDOTDIR": str(directory), "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(terminal)
    shown, is_typed = b"", False
    with contextlib.suppress(OSError):  # the end of the terminal
        while select.select([ours], [], [], 60)[0] and (block := os.read(ours, 65_536)):
            shown += block
            if not is_typed and b"READY " in shown:
                is_typed = True
                os.write(ours, text.encode())
    os.close(ours)  # a shell that still runs gets SIGHUP
    running.wait(60)
    return shown.decode().rpartition("LINE[")[2].partition("]")[0]


def shell_environment(directory: Path) -> dict[str, str]:
    """Return an environment in which `restante` is the program, and home has no settings."""
    path = f"{patient_program(directory).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(directory)}
