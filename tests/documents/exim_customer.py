"""Configure Exim by a document's text: `python -m tests.documents.exim_customer TEXT`.

Exim of ci/install-peers is in a tree of its own. `exim` is then a command of the machine, and its
mail goes to one Maildir.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.acceptance.peers.exim import EXIM_USER
from tests.acceptance.peers.odmr_programs import EXIM, whole_configuration

TREE: Final = Path("/opt/sid")
COMMAND: Final = Path("/steps/bin/exim")
DOMAINS: Final = ("acme.example",)


def configure(text: str) -> None:
    """Write the configuration, and copy the files of this machine that Exim reads."""
    for place in ("var/mail", "var/spool/exim4", "var/log"):
        (TREE / place).mkdir(parents=True, exist_ok=True)
        os.chown(TREE / place, EXIM_USER, EXIM_USER)
    for file in ("etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
        (TREE / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(f"/{file}", TREE / file)
    (TREE / "etc/exim4/exim4.conf").write_text(whole_configuration(text, DOMAINS))
    COMMAND.write_text(f'#!/bin/sh\nexec chroot {TREE} {EXIM} "$@"\n')
    COMMAND.chmod(0o755)


if __name__ == "__main__":
    if not TREE.exists():
        sys.exit("Exim with ATRN is not there: run ci/install-peers")
    configure(Path(sys.argv[1]).read_text())
