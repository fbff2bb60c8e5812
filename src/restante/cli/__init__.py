"""The command line. It speaks to the API: of the running server, or in this process when there is none."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (sysexits)."""
    from restante.cli.command_line import run  # noqa: PLC0415  a version of the package is wanted without typer too

    return run(sys.argv[1:] if arguments is None else arguments)
