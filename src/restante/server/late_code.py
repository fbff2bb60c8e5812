"""Code that a server loads when it first needs it, in a thread, while mail goes on.

The API and the portal are as large as all code of mail. Many servers need neither for months.
"""

import asyncio

from restante.network.late_module import CodeNotLoaded
from restante.phrases import cause_of
from restante.server.garbage_collection import GarbageCollection
from restante.server.program_files import ProgramFiles


class LateCode:
    """Loads modules of the version that runs."""

    def __init__(self, garbage: GarbageCollection) -> None:
        self._garbage = garbage
        self._program: ProgramFiles | None = None
        self._begun = asyncio.Event()
        self._loaded: set[str] = set()
        self._loading = asyncio.Lock()

    def begin(self, program: ProgramFiles) -> None:
        """Load from now on, while these files stay. Until then, `load` waits."""
        self._program = program
        self._begun.set()

    async def load(self, module: str) -> None:
        """Have a module loaded, so that an import of it takes no time.

        Raises CodeNotLoaded. Unless it is ProgramReplaced, another try can succeed.
        """
        await self._begun.wait()
        assert self._program is not None
        async with self._loading:
            if module not in self._loaded:
                try:
                    with self._garbage.keeping():
                        await asyncio.to_thread(self._program.load, module)
                except (ImportError, OSError) as error:  # no descriptor is free, for instance
                    cause = f"a file of the program cannot be read: {cause_of(error)}"
                    raise CodeNotLoaded(cause) from error
                self._loaded.add(module)
