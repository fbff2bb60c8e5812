"""Put man pages into the source distribution and the wheel.

Writing them needs the program and all that it depends on, so a plain build does not do it:
`make dist` (tools/build_dist.py) writes them and names their directory in the environment. The
source distribution has them in `man/`, and a wheel that is built from it takes them from there. A
wheel that is built from a checkout has none.
"""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "RESTANTE_MAN_PAGES"


class ManPages(BuildHookInterface[Any]):
    """Adds the directory with the pages, if there is one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to add, before they are collected."""
        pages = Path(os.environ.get(VARIABLE) or Path(self.root, "man"))
        if version == "editable" or not pages.is_dir():
            return
        if self.target_name == "sdist":
            build_data["force_include"][str(pages)] = "man"
        else:
            build_data["shared_data"][str(pages)] = "share/man/man1"
