"""Machines on which a setup is tried."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from restante.cli.setup_machine import MachineFacts

ROOTS: Final = MachineFacts(
    is_root=True,
    user="root",
    hostname="mx2.example.net",
    home=Path("/root"),
    has_ipv6=True,
    has_systemd=True,
)
OLGAS: Final = replace(
    ROOTS, is_root=False, user="olga", home=Path("/home/olga"), has_systemd=False
)
