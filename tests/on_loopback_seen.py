"""Say what a module sees that `tests.on_loopback` runs: interfaces that are up, user, arguments."""

# ruff: noqa: T201  it is a program

import os
import sys

from tests.on_loopback import running_interfaces

print(*running_interfaces(), os.geteuid(), *sys.argv[1:], sep="\n")
