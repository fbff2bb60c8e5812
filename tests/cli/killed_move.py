"""A command that kills its own process: `python -m tests.cli.killed_move PHASE CALLS WORD…`.

SIGKILL comes when a method of a store of a move is about to return for the CALLS+1st time.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from restante.cli import main
from restante.store import choice


class KilledEnd:
    """A store of a move whose process is killed after some calls."""

    def __init__(self, end: Any, phase: str, calls: int) -> None:
        self._end = end
        self._phase = phase
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._end, name)
        if name != self._phase:
            return found

        async def deadly(*arguments: Any) -> Any:
            answer = await found(*arguments)
            if self._calls == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._calls -= 1
            return answer

        return deadly


def killed(opening: Callable[..., Any], phase: str, calls: int) -> Callable[..., Any]:
    """Return the same opening, of a store that is killed."""

    async def opened(*arguments: Any) -> Any:
        return KilledEnd(await opening(*arguments), phase, calls)

    return opened


if __name__ == "__main__":
    phase, calls, *words = sys.argv[1:]
    for name in ("open_move_source", "open_move_target"):
        setattr(choice, name, killed(getattr(choice, name), phase, int(calls)))
    sys.exit(main(words))
