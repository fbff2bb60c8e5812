"""`restante completion`: the script that makes a shell complete commands."""

import sys
from enum import StrEnum
from importlib.resources import files
from typing import Annotated

import typer


class CompletingShell(StrEnum):
    """The shells that have a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[CompletingShell, typer.Argument(help="The shell to write the script for.")],
) -> None:
    """Print the script that completes commands, options and names in a shell.

    Names, such as those of domains and messages, come from the running server, if it answers at
    once.
    For bash, write the output to ~/.local/share/bash-completion/completions/restante; for fish, to
    ~/.config/fish/completions/restante.fish; for zsh, to the file _restante in a directory of
    $fpath.
    """
    script = files("restante.cli") / "shell" / f"restante.{shell}"
    sys.stdout.write(script.read_text(encoding="utf-8"))
