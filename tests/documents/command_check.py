"""Whether a command of a document is one of the program, with options that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restante.cli.command_line import build_command


def complaint(words: Sequence[str]) -> str:
    """Say what is wrong with a command that begins with `restante`; "" if nothing is."""
    found: Any = build_command()
    rest = list(words[1:])
    while rest and not rest[0].startswith("-") and getattr(found, "commands", None):
        names = rest[0].split("|")
        if not set(names) <= set(found.commands):
            return f"{rest[0]} is no command"
        found = found.commands[names[0]]
        rest = rest[1:]
    known = {
        option
        for parameter in found.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    known |= {"--help"}
    unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in known]
    return f"no option {unknown}" if unknown else ""
