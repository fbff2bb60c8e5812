"""Find the place of each setting: a line of the file, or a variable of the environment.

The TOML reader of the standard library keeps no positions, so this module finds the lines again. It
looks only at table headers and keys at the start of a line. A value inside an inline table or a
longer value is reported by the line of its key.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restante.config.file_stamp import FileSignature

ENVIRONMENT_PREFIX = "RESTANTE_"
ENVIRONMENT_NESTING = "__"

SettingLocation = tuple[str | int, ...]  # ("listen", 0, "address")

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def key_lines(text: str) -> dict[SettingLocation, int]:
    """Map each table and key of a TOML text to the number of its line."""
    lines: dict[SettingLocation, int] = {}
    counts: dict[SettingLocation, int] = {}
    table: SettingLocation = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _enter(_parts(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(_parts(header[2]), number)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def _enter(
    name: SettingLocation, counts: dict[SettingLocation, int], *, is_array: bool
) -> SettingLocation:
    """Return the location of the table that a header opens. `[[name]]` opens a new one."""
    if not is_array:
        return name
    counts[name] = counts.get(name, -1) + 1
    return (*name, counts[name])


def _parts(dotted: str) -> SettingLocation:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def key_name(location: SettingLocation) -> str:
    """Return a location as text, such as `listen[0].address`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def variable_name(location: Sequence[str | int]) -> str:
    """Return the environment variable that sets a key."""
    return ENVIRONMENT_PREFIX + ENVIRONMENT_NESTING.join(str(part) for part in location).upper()


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The source of a configuration: its file, lines and variables."""

    file: Path | None = None
    lines: Mapping[SettingLocation, int] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()  # those of the environment that were used
    signature: FileSignature = ()  # of the file, from just before it was read

    def where(self, location: SettingLocation) -> str:
        """Return the place of a key, or of the innermost table around it."""
        around = [location[:length] for length in range(len(location), 0, -1)]
        for variable in map(variable_name, around):
            if variable in self.variables:
                return variable
        for line in map(self.lines.get, around):
            if line:
                return f"{self.file}:{line}"
        return str(self.file) if self.file else "configuration"
