#!/usr/bin/env python3
"""The place of `docker` on the machine of the documents: it checks commands and starts nothing.

    docker compose exec mx1 restante node list

It knows those options of Compose that the documents use. A service must be one of compose.yaml in
the working directory. test_documents.py checks the command of Restante behind it.
"""

# ruff: noqa: T201  it says what is wrong

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

OPTIONS: Final = {
    "build": {"--build-arg"},
    "up": {"--detach", "--wait", "--no-deps"},
    "exec": set[str](),
    "run": {"--rm", "--no-deps"},
    "restart": set[str](),
    "rm": {"--force"},
    "cp": set[str](),
}
WITH_VALUE: Final = {"--build-arg"}
PROGRAMS: Final = {"restante", "psql", "pg_dump"}


def wrong(words: list[str]) -> str:
    """Say what is wrong with the words behind `docker`; "" if nothing is."""
    if words[:1] != ["compose"] or not words[1:] or words[1] not in OPTIONS:
        return f"{words[:2]}: not known here"
    if not Path("compose.yaml").exists():
        return "no compose.yaml in the working directory"
    verb, rest = words[1], words[2:]
    while rest and rest[0].startswith("--"):
        if rest[0] not in OPTIONS[verb]:
            return f"{verb}: no option {rest[0]}"
        rest = rest[2 if rest[0] in WITH_VALUE else 1 :]
    return _wrong_names(verb, rest)


def _wrong_names(verb: str, rest: list[str]) -> str:
    services = re.findall(
        r"^  (\w+):\n    (?:<<|image):", Path("compose.yaml").read_text(), re.MULTILINE
    )
    named = [word.partition(":")[0] for word in rest if ":" in word] if verb == "cp" else rest
    if verb in {"exec", "run"}:
        named, command = rest[:1], rest[1:]
        if not command or command[0] not in PROGRAMS:
            return f"{verb}: {command[:1]} is not in the container"
    unknown = set(named) - set(services)
    return f"no service {sorted(unknown)}" if unknown else ""


if __name__ == "__main__":
    if said := wrong(sys.argv[1:]):
        print(said, file=sys.stderr)
        sys.exit(1)
