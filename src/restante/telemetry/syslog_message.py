"""The messages of syslog (RFC 5424) for a line of the log. Pure.

A message has the time, the level and the event of the line in its header, and the line itself as
its text. The line has ASCII only, so no byte order mark is needed (RFC 5424 §6.4).
"""

from collections.abc import Iterator
from typing import Final

from restante.telemetry.log_line import LogLine

FACILITY: Final = 2  # mail (RFC 5424 §6.2.1)
SEVERITIES: Final = {"info": 6, "warning": 4, "error": 3}
MOST_OCTETS: Final = 8192  # of one message: the common limit of syslog servers
MOST_NAME: Final = 32  # octets of MSGID (RFC 5424 §6)
_CUT: Final = "..."


def syslog_messages(line: LogLine, hostname: str, process: int) -> Iterator[bytes]:
    """Yield a message for each row of a line; a longer row is cut."""
    priority = FACILITY * 8 + SEVERITIES[line.level]
    name = line.event[:MOST_NAME]
    head = f"<{priority}>1 {line.at} {hostname} restante {process} {name} - "
    room = MOST_OCTETS - len(head)
    for row in line.text.split("\n"):
        text = row.encode("ascii", "backslashreplace").decode()
        yield (head + (text if len(text) <= room else text[: room - len(_CUT)] + _CUT)).encode()
