"""Run the server in this process: for `restante serve`, and for units without a command line.

A unit gives `serve` and a configuration at most. Then nothing reads the other commands and their
options: the library for them is 3 MB of a process that runs for months.
"""

import gc
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from restante.cli.failures import Exit, Failure, complain, warn

if TYPE_CHECKING:
    from restante.config.schema import Config

_OPTION = "--config"


class PlainServe(NamedTuple):
    """The arguments of a unit."""

    config: Path | None


def plain_serve(arguments: Sequence[str]) -> PlainServe | None:
    """Return what a unit wants; None for other command lines, such as those with mistakes."""
    match arguments:
        case ["serve"]:
            return PlainServe(None)
        case [option, "serve"] | ["serve", option] if option.startswith(f"{_OPTION}="):
            file = option.removeprefix(f"{_OPTION}=")
        case [option, file, "serve"] | ["serve", option, file] if option == _OPTION:
            pass
        case _:
            return None
    return PlainServe(Path(file)) if file and not file.startswith("-") else None


def run_plainly(config: Path | None) -> int:
    """Serve; return the exit code. An error is one line on standard error."""
    try:
        return run_configured(config)
    except Failure as failure:
        complain(*failure.texts)
        return failure.code
    except KeyboardInterrupt:
        complain("stopped; nothing was changed")
        return Exit.STOPPED


def run_configured(config_file: Path | None) -> int:
    """Run the server of a configuration. Raises Failure."""
    gc.disable()  # until everything is loaded (server/garbage_collection)
    checked, warnings = read_and_check(config_file)
    warn(warnings)
    if checked.workers > 1:
        from restante.server.worker_parent import run_workers  # noqa: PLC0415  heavy

        return run_workers(checked)
    from restante.server.server_start import run_server  # noqa: PLC0415  as above

    return run_server(checked)


def read_and_check(config_file: Path | None) -> tuple["Config", list[str]]:
    """Return the configuration and its warnings. Raises Failure with every error."""
    from restante.config.config_check import check_config as check_files  # noqa: PLC0415  heavy
    from restante.config.config_problem import ConfigError  # noqa: PLC0415
    from restante.config.load import load_with_warnings  # noqa: PLC0415

    try:
        config, warnings = load_with_warnings(config_file)
        return config, warnings + check_files(config, time.time())
    except ConfigError as error:
        raise Failure(Exit.CONFIGURATION, *map(str, error.problems)) from None
