"""Runs `restante` with a clock that is ahead: python clocked_server.py FILE WORDS…

FILE has the number of seconds, and may be replaced while the server runs. Only Unix time changes;
pauses keep their length.
"""

import sys
import time
from pathlib import Path

AHEAD = Path(sys.argv[1])
_now = time.time

time.time = lambda: _now() + float(AHEAD.read_text())  # before anything of restante is loaded
del sys.argv[1]

from restante.cli import main  # noqa: E402  it takes the clock that it finds

main()
