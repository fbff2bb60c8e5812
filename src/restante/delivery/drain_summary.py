"""The facts of a whole drain: told when it starts and ends, and kept as the last of its domain."""

from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.drain_log import DrainLog
from restante.delivery.drain_state import DrainSnapshot
from restante.mail.message import message_name
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.store.handover_store import Drain, PastDrain
from restante.telemetry.events import DestinationRefuses, DrainFinished, DrainStarted
from restante.tenancy.history_detail import HistoryDetail, text_in_detail
from restante.tenancy.model import HostedDomain

_FINISHED = "everything was handed over"
_NAMED = "the named messages were tried"


class DrainSummary:
    """One drain, from its start to its end."""

    def __init__(
        self, lease: Drain, domain: HostedDomain, drain_log: DrainLog, context: DeliveryContext
    ) -> None:
        """`drain_log` counts the drain's messages, and has the present attempt's destination."""
        self._lease = lease
        self._domain = domain.name
        self._drain_log = drain_log
        self._log = context.log
        self._clocks = context.clocks
        self._figures = context.store.figures
        self._experience = context.memory.experience
        self._directory = context.directory
        self._detail = HistoryDetail.FULL  # that its account had last: it may be removed
        self._requested_by = lease.requested_by or "an earlier drain"
        self.account = domain.account  # of the domain as it was recorded last
        self.started_at, self._started = self._clocks.now(), self._clocks.monotonic()

    def tell_start(self) -> None:
        """Log that it starts."""
        self._log.publish(
            DrainStarted(
                domain=self._domain,
                destination=self._drain_log.destination,
                requested_by=self._requested_by,
                held=self._held,
                release=message_name(self._lease.release) if self._lease.release else None,
            )
        )

    def tell_refusals(self, reason: str) -> None:
        """Log that the destination refuses everything."""
        self._log.publish(
            DestinationRefuses(
                domain=self._domain,
                account=self.account,
                destination=self._drain_log.destination,
                refused=self._drain_log.totals.refused,
                held=self._held,
                reason=reason,
            )
        )

    def tell_end(self, outcome: DrainEnd, reason: str) -> None:
        """Log that it is over."""
        totals = self._drain_log.totals
        self._log.publish(
            DrainFinished(
                domain=self._domain,
                account=self.account,
                destination=self._drain_log.destination,
                delivered=totals.delivered,
                deferred=totals.deferred,
                refused=totals.refused,
                uncertain=totals.uncertain,
                held=self._held,
                seconds=round(self._clocks.monotonic() - self._started, 3),
                end=outcome,
                reason=reason,
            )
        )

    def text(self, damaged: int, way: DrainWay = DrainWay.DESTINATION) -> str:
        """Describe the end of a drain that has nothing left to hand over."""
        parked = self._drain_log.totals
        kinds = {"refused": parked.refused, "uncertain": parked.uncertain, "damaged": damaged}
        texts = [f"{count} {kind}" for kind, count in kinds.items() if count]
        if way is DrainWay.MESSAGES:
            return f"{_NAMED}: {', '.join([f'{parked.delivered} delivered', *texts])}"
        return f"all mail was tried: {', '.join(texts)}" if texts else _FINISHED

    def snapshot(
        self,
        state: DrainState,
        connections: int,
        *,
        next_attempt_at: float | None = None,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> DrainSnapshot:
        """Return the drain as it is now; `next_attempt_at` is Unix time."""
        totals = self._drain_log.totals
        return DrainSnapshot(
            domain=self._domain,
            destination=self._drain_log.destination,
            started_at=self.started_at,
            delivered=totals.delivered,
            refused=totals.refused,
            uncertain=totals.uncertain,
            deferred=totals.deferred,
            connections=connections,
            state=state,
            next_attempt_at=next_attempt_at,
            last_error=self.last_error,
            hindrance=self._drain_log.hindrance,
            way=way,
            rate=self._drain_log.rate,
            last_reply=self._in_detail(self._drain_log.last_reply),
            last_reply_at=self._drain_log.last_reply_at,
            failed_at=self._drain_log.failed_at,
        )

    def past(self, outcome: DrainEnd, reason: str) -> PastDrain:
        """Return the drain as it is kept after its end."""
        totals, destination = self._drain_log.totals, self._drain_log.destination
        has_taken = self._experience.has_taken_mail(destination)
        return PastDrain(
            started_at=self.started_at,
            ended_at=self._clocks.now(),
            requested_by=self._requested_by,
            end=outcome,
            reason=self._in_detail(reason),
            delivered=totals.delivered,
            deferred=totals.deferred,
            refused=totals.refused,
            last_error=self.last_error,
            uncertain=totals.uncertain,
            taker=destination if has_taken else "",
        )

    @property
    def last_error(self) -> str:
        """The last error, as the account has such texts shown and kept."""
        return self._in_detail(self._drain_log.last_error)

    def _in_detail(self, text: str) -> str:
        account = self._directory.now.accounts.get(self.account)
        if account is not None:
            self._detail = account.history
        return text_in_detail(text, self._detail)

    @property
    def _held(self) -> int:
        return self._figures.usage(self._lease.domain_id).held
