"""The parts and facts that all parts of one attempt share."""

from dataclasses import dataclass

from restante.delivery.attempt_end import AttemptTally
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dial_plan import DialPlan
from restante.delivery.drain_log import DrainLog
from restante.delivery.mail_supply import MailSupply
from restante.delivery.settlement import Settlement


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """Made for each attempt; the supply, the settlement and the log are those of the drain."""

    plan: DialPlan
    supply: MailSupply
    settlement: Settlement
    drain_log: DrainLog
    tally: AttemptTally
    delivery: DeliveryContext
