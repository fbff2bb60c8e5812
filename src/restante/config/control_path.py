"""Find the running server's control socket even if the configuration file has mistakes.

An operator has to see a server's status and release mail while its configuration file is being
edited. So this looks for the two settings that name the socket and for nothing else.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from restante.config.search import candidates, first_file
from restante.config.source import variable_name

_SQLITE: Final = re.compile(
    r"sqlite:(//(?=/))?"
)  # sqlite:data is relative, sqlite:///var/lib/x is not
VARIABLE: Final = variable_name(("control_socket",))
_SETTING: Final = re.compile(
    r"""^\s*(control_socket|store)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.MULTILINE
)


def likely_control_socket(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the control socket that the environment or a configuration names.

    The rest of the configuration may be invalid. If the environment names the socket, no file is
    needed. Return None if nothing names a socket or a store.
    """
    file = first_file(candidates(given, environ))
    if named := environ.get(VARIABLE):
        return _named(named, file)
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    values = _settings(text)
    if socket := values.get("control_socket"):
        return file.parent / socket
    store = environ.get(variable_name(("store",))) or values.get("store")
    return file.parent / _SQLITE.sub("", store, count=1) / "control.sock" if store else None


def _named(socket: str, file: Path | None) -> Path:
    """Return a socket of the environment, relative to the file as for the server, or to us."""
    beside = file.parent / socket if file is not None else None
    here = Path(socket).absolute()
    return here if beside is None or (here.exists() and not beside.exists()) else beside


def _settings(text: str) -> dict[str, str]:
    """Return the two settings. In a file that is not TOML, look for lines with them."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {name: double or single for name, double, single in _SETTING.findall(text)}
    return {name: value for name, value in values.items() if isinstance(value, str)}
