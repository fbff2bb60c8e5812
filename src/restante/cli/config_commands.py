"""`restante config`: check or show the configuration."""

import typer

from restante.cli.api_client import read_config
from restante.cli.display import say, show_json
from restante.cli.failures import Exit, Failure, warn
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.server_run import read_and_check

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
