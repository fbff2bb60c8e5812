"""Tell a contributor about the next steps, and about missing programs: `make dev`."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final

# Where Debian keeps servers: an ordinary account's PATH lacks it.
PLACES: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
PEERS: Final = ("swaks", "fetchmail", "curl", "msmtp", "postfix", "chromium")
NEXT: Final = {
    "make unit": "the tests of the pure modules, in about ten seconds",
    "make demo": "the whole path of a message, in a minute",
    "make run": "a server on loopback to try things with",
    "make check": "types, style, layers, spelling, prose and links",
    "make test": "every test",
}
PAGES: Final = {
    "docs/tour.md": "one message from the socket to the disk and back, with links to the functions",
    "ARCHITECTURE.md": "the packages, and where to add what",
    "CONTRIBUTING.md": "the ways of working",
}


def main() -> int:
    """Print it all."""
    found = {name: shutil.which(name, path=PLACES) for name in PEERS}
    print("\n".join(advice(found, is_root=os.geteuid() == 0)))
    return 0


def advice(found: Mapping[str, str | None], *, is_root: bool) -> list[str]:
    """Return the lines to print, from the places of the peers that were looked for."""
    lines = ["The environment is ready in .venv. Next:", "", *_table(NEXT)]
    lines += ["", "To read:", "", *_table(PAGES), ""]
    missing = [name for name, place in found.items() if place is None]
    if missing:
        lines.append(f"Not installed: {', '.join(missing)}. Tests that need them are skipped.")
        lines.append("ci/install-peers installs them on Debian, as root. Most changes need none.")
    if not is_root:
        lines.append("Some tests start mail servers. They need root, and are skipped otherwise.")
    return lines


def _table(rows: Mapping[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {name:{width}}  {meaning}" for name, meaning in rows.items()]


if __name__ == "__main__":
    sys.exit(main())
