"""`restante serve`: run the server in the foreground."""

from restante.cli.options import ConfigOption
from restante.cli.server_run import run_configured


def serve(config: ConfigOption = None) -> int:
    """Run the server in the foreground.

    SIGTERM stops it. SIGHUP makes it read the configuration and certificates again. With `workers`,
    several processes serve, and this one supervises them.
    """
    return run_configured(config)
