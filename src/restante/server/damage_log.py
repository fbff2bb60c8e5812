"""Logs messages whose content is damaged, with the domain and account that each belongs to."""

from restante.mail.message import message_name
from restante.store.live_directory import LiveDirectory
from restante.telemetry.event_bus import Log
from restante.telemetry.events import MessageDamaged


class DamageLog:
    """Keeps what is found while the store is opened until the records are read."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._directory: LiveDirectory | None = None  # None: the records are not read yet
        self._early: list[tuple[int, str, int]] = []

    def found(self, number: int, text: str, domain_id: int) -> None:
        """Log a damaged message, or keep it until the records are read."""
        if self._directory is None:
            self._early.append((number, text, domain_id))
            return
        domain = self._directory.now.domain_by_id(domain_id)
        self._log.publish(
            MessageDamaged(
                message=message_name(number),
                domain=domain.name if domain is not None else "",
                account=domain.account if domain is not None else "",
                reason=text,
            )
        )

    def records_read(self, directory: LiveDirectory) -> None:
        """Log what was kept."""
        self._directory = directory
        early, self._early = self._early, []
        for number, text, domain_id in early:
            self.found(number, text, domain_id)
