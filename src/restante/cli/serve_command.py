"""`restante serve`: run the server in the foreground."""

import gc

from restante.cli.failures import warn
from restante.cli.options import ConfigOption


def serve(config: ConfigOption = None) -> int:
    """Run the server in the foreground.

    SIGTERM stops it. SIGHUP makes it read the configuration and certificates again. With `workers`,
    several processes serve, and this one supervises them.
    """
    gc.disable()  # until everything is loaded (server/garbage_collection)
    from restante.cli.config_commands import read_and_check  # noqa: PLC0415

    checked, warnings = read_and_check(config)
    warn(warnings)
    if checked.workers > 1:
        from restante.server.worker_parent import run_workers  # noqa: PLC0415  heavy

        return run_workers(checked)
    from restante.server.server_start import run_server  # noqa: PLC0415  as above

    return run_server(checked)
