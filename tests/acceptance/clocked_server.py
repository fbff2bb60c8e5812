"""Runs `restante` with a clock that is ahead: python clocked_server.py FILE WORDS…

By how many seconds stands in FILE, which may be replaced while it runs. Only Unix time is concerned; pauses take as long
as they do.
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
