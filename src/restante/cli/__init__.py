"""The command line, a client of the API.

The API is that of the running server. Without a server it runs in this process.
"""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (sysexits)."""
    # Pydantic looks for plugins in the metadata of every installed package, and needs none here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from restante.cli.command_line import run  # noqa: PLC0415  heavy

    return run(sys.argv[1:] if arguments is None else arguments)
