"""Runs `restante` with a clock that is ahead: python clocked_server.py FILE WORDS…

FILE has the number of seconds, and may be replaced while the server runs. Only Unix time changes;
pauses keep their length. The server trusts a leap at once, because tests do not wait for half a
day. It does not if FILE.waits is there too.
"""

import sys
import time
from pathlib import Path

AHEAD = Path(sys.argv[1])
_now = time.time

time.time = lambda: _now() + float(AHEAD.read_text())  # before anything of restante is loaded
del sys.argv[1]

from restante.cli import main  # noqa: E402  it takes the clock that it finds
from restante.retention import age_clock  # noqa: E402

if not AHEAD.with_suffix(".waits").exists():
    age_clock.WAIT_SECONDS = 0.0  # type: ignore[misc]

main()
