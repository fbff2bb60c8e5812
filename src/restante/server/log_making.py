"""Connecting the log of the server, of a worker, and of the supervisor of workers."""

import os
import time

from restante.config.schema import Config
from restante.telemetry.event_bus import EventBus
from restante.telemetry.log_file import LogFile
from restante.telemetry.log_output import DivertingOutput, LogOutput, StandardError
from restante.telemetry.log_writer import LogWriter, written_events
from restante.telemetry.syslog_output import SyslogOutput


def connect_log(config: Config, events: EventBus, worker: int = 0) -> LogWriter:
    """Have a line written for each event from now on, where `[log]` says.

    A file is never opened by root for another user: its lines wait for `begin`. `worker` is the
    number of this one of several; 0: the only.
    """
    settings, output, place = config.log, None, _place(config)
    if place is not None:
        standard = StandardError(is_alone=not worker)
        output = DivertingOutput(place, settings.place, standard, time.monotonic, events.publish)
    is_held = output is not None and bool(config.user) and os.geteuid() == 0
    writer = LogWriter(settings.style, worker=worker, output=output, is_held=is_held)
    events.subscribe(writer.write, *written_events(settings.level))
    return writer


def _place(config: Config) -> LogOutput | None:
    settings = config.log
    if settings.file is not None:
        return LogFile(settings.file)
    if settings.to == "syslog":
        return SyslogOutput(settings.syslog_socket, config.hostname)
    return None
