"""An error in a configuration, with file, line, key, value, cause and remedy."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VALUE_LENGTH = 60  # characters of a value that an error repeats; a path is repeated whole


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One error, in one line."""

    where: str  # "/etc/restante/restante.toml:12", or the environment variable
    key: str  # "tls.minimum"; "" for the file as a whole
    cause: str
    remedy: str
    value: Any = None  # None: there is none, or it may be a secret

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {_spell(self.value)}"
        parts = (self.where, f"{self.key}{shown}", f"{self.cause}; {self.remedy}")
        return ": ".join(part for part in parts if part)


class ConfigError(Exception):
    """The configuration is invalid. The text has one line for each problem."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def _spell(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    # The end of a path identifies the file.
    is_whole = len(text) <= VALUE_LENGTH or isinstance(value, Path)
    return text if is_whole else text[: VALUE_LENGTH - 1] + "…"
