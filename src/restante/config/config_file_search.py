"""Which configuration file is used: the one that is named, else the first that is there.

A file in the current directory must be the user's own, or root's. Another user could otherwise put
one there, and would get each password that a command sends.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.foreign_files import why_foreign

SEARCHED: Final = (Path("restante.toml"), Path("/etc/restante/restante.toml"))


def candidates(given: Path | None, environ: Mapping[str, str]) -> Sequence[Path]:
    """Return the files that may be used, in order: a named one is the only one."""
    named = given or (Path(environ["RESTANTE_CONFIG"]) if environ.get("RESTANTE_CONFIG") else None)
    return [named] if named else SEARCHED


def found_config_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the absolute path of the file to use. Raises ConfigError for one of another user."""
    paths = candidates(given, environ)
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        return None
    if paths is SEARCHED and not found.is_absolute():
        _refuse_foreign(found.absolute())
    return found.absolute()


def _refuse_foreign(file: Path) -> None:
    own = os.geteuid()
    cause = why_foreign(file.parent.stat(), own, is_above=True) or why_foreign(file.stat(), own)
    if not cause and file.lstat().st_uid not in (0, own):
        cause = "is a link of another user"
    if cause:
        remedy = f"if you trust it, pass --config {file}; otherwise change to another directory"
        raise ConfigError([ConfigProblem(str(file), "", f"it, or its directory, {cause}", remedy)])
