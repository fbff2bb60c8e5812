"""`restante serve`: run the server in the foreground."""

from restante.cli.failures import warn
from restante.cli.options import ConfigOption


def serve(config: ConfigOption = None) -> int:
    """Run the server in the foreground.

    SIGTERM stops it. SIGHUP makes it read the configuration and certificates again.
    """
    from restante.cli.config_commands import read_and_check  # noqa: PLC0415
    from restante.server.server_start import run_server  # noqa: PLC0415  heavy

    checked, warnings = read_and_check(config)
    warn(warnings)
    return run_server(checked)
