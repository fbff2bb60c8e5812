"""What is wrong with a configuration, said so that the operator can mend it: file, line, key, value, cause, remedy."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VALUE_LENGTH = 60  # characters of a value that an error repeats; a path is repeated whole


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing to mend, in one line."""

    where: str  # "/etc/restante/restante.toml:12", or the environment variable
    key: str  # "tls.minimum"; "" where the file as a whole is meant
    cause: str
    remedy: str
    value: Any = None  # None: there is none, or it is not to be repeated

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {_spell(self.value)}"
        parts = (self.where, f"{self.key}{shown}", f"{self.cause}; {self.remedy}")
        return ": ".join(part for part in parts if part)


class ConfigError(Exception):
    """The configuration cannot be used. Its text is one line per problem."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def _spell(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    # The end of a path says which file it is.
    is_whole = len(text) <= VALUE_LENGTH or isinstance(value, Path)
    return text if is_whole else text[: VALUE_LENGTH - 1] + "…"
