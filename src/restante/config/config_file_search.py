"""Which configuration file is used: the one that is named, else the first that is there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

SEARCHED: Final = (Path("restante.toml"), Path("/etc/restante/restante.toml"))


def candidates(given: Path | None, environ: Mapping[str, str]) -> Sequence[Path]:
    """Return the files that may be used, in order: a named one is the only one."""
    named = given or (Path(environ["RESTANTE_CONFIG"]) if environ.get("RESTANTE_CONFIG") else None)
    return [named] if named else SEARCHED


def first_file(paths: Sequence[Path]) -> Path | None:
    """Return the absolute path of the first that is a file."""
    return next((path.absolute() for path in paths if path.is_file()), None)
