"""Find the running server's control socket even if the configuration file has mistakes.

An operator has to see a server's status and release mail while its configuration file is being
edited. So this looks for the settings that name the socket and for little else. Once
those were edited, the server's own record (server_record.py) still leads to it.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from restante.config.config_file_search import found_config_file
from restante.config.server_record import recorded_socket, trusted_users
from restante.config.setting_places import variable_name

_SQLITE: Final = re.compile(
    r"sqlite:(//(?=/))?"
)  # sqlite:data is relative, sqlite:///var/lib/x is not
_DATABASE: Final = re.compile(r"postgres(ql)?:")
DEFAULT_STATE_DIR: Final = Path("/var/lib/restante")
VARIABLE: Final = variable_name(("control_socket",))
_STORE_VARIABLE: Final = variable_name(("store",))
_STATE_VARIABLE: Final = variable_name(("state_dir",))
_SETTING: Final = re.compile(
    r"""^\s*(control_socket|store|state_dir|user)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.MULTILINE
)


def likely_control_socket(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the control socket that the environment or a configuration names.

    The rest of the configuration may be invalid. If the environment names the socket, no file is
    needed. Return None if nothing names a socket or a store. Raises ConfigError for a file of
    another user.
    """
    file = found_config_file(given, environ)
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
    store = environ.get(_STORE_VARIABLE) or values.get("store")
    if store and _DATABASE.match(store):
        own = environ.get(_STATE_VARIABLE) or values.get("state_dir") or DEFAULT_STATE_DIR
        return file.parent / own / "control.sock"
    return file.parent / _SQLITE.sub("", store, count=1) / "control.sock" if store else None


def recorded_control_socket(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the socket where a server that runs this configuration file has said it answers.

    The file may have named another socket or store since. Return None if the environment names one
    of them: it means that one. Raises ConfigError for a file of another user.
    """
    file = found_config_file(given, environ)
    if file is None or any(map(environ.get, (VARIABLE, _STORE_VARIABLE, _STATE_VARIABLE))):
        return None
    try:
        values = _settings(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        values = {}
    user = environ.get(variable_name(("user",))) or values.get("user", "")
    return recorded_socket(file, trusted_users(file, user))


def _named(socket: str, file: Path | None) -> Path:
    """Return a socket of the environment, relative to the file as for the server, or to us."""
    beside = file.parent / socket if file is not None else None
    here = Path(socket).absolute()
    return here if beside is None or (here.exists() and not beside.exists()) else beside


def _settings(text: str) -> dict[str, str]:
    """Return the settings that are texts. In a file that is not TOML, look for lines with them."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {name: double or single for name, double, single in _SETTING.findall(text)}
    return {name: value for name, value in values.items() if isinstance(value, str)}
