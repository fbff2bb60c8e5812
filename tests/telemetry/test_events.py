"""Every event of the closed list is published somewhere."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import restante
from restante.telemetry.events import EVENTS

SOURCE: Final = Path(restante.__file__).parent
# They name what others publish.
LISTENERS: Final = (
    *(f"telemetry/events/{file.name}" for file in (SOURCE / "telemetry/events").glob("*.py")),
    "telemetry/event_fields.py",
    "telemetry/log_writer.py",
    "telemetry/metrics.py",
    "notices/notice_rules.py",
)


def source(but: Collection[str]) -> str:
    """All of the program, but for some files."""
    left_out = {SOURCE / name for name in but}
    return "".join(file.read_text() for file in SOURCE.rglob("*.py") if file not in left_out)


def test_every_event_is_published_somewhere() -> None:
    named = set(re.findall(r"\b[A-Z]\w+\b(?=[(,:\]| ])", source(LISTENERS)))
    assert [event.__name__ for event in EVENTS if event.__name__ not in named] == []
