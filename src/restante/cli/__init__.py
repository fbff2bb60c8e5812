"""The command line, a client of the API.

The API is that of the running server. Without a server it runs in this process.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

COMPLETE: Final = "--complete"  # the scripts for shells run this; no person does


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (sysexits)."""
    # Pydantic looks for plugins in the metadata of every installed package, and needs none here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == [COMPLETE]:
        from restante.cli.word_completion import complete_words  # noqa: PLC0415  heavy

        return complete_words(given[1:])
    from restante.cli.server_run import plain_serve, run_plainly  # noqa: PLC0415  as above

    if (unit := plain_serve(given)) is not None:
        return run_plainly(unit.config)
    from restante.cli.command_line import run  # noqa: PLC0415  heavy

    return run(given)
