"""`restante config`: check or show the configuration."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from restante.cli.api_client import read_config
from restante.cli.display import say, show_json
from restante.cli.failures import Exit, Failure, warn
from restante.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from restante.config.schema import Config

group = typer.Typer(name="config", help="Check or show the configuration.")


@group.command("check")
def check(config: ConfigOption = None) -> None:
    """Check the configuration and the files it names.

    The exit code is 78 if there are errors.
    """
    from restante.config.privileges import (  # noqa: PLC0415
        UserUnusable,
        check_program_is_reachable,
    )

    checked, warnings = read_and_check(config)
    warn(warnings)
    try:
        check_program_is_reachable(checked.user)
    except UserUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    say(f"{checked.file}: good", mark="good")


@group.command("show")
def show(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the configuration with defaults, file and environment applied."""
    from restante.config.config_text import as_toml  # noqa: PLC0415  heavy

    loaded = read_config(config)
    if as_json:
        show_json(loaded.model_dump(mode="json"))
    else:
        say(f"# {loaded.file}")
        for line in as_toml(loaded).splitlines():
            say(line)


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
