"""What is the same for all sessions of a listener."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restante.sasl.mechanism import Mechanism
from restante.smtp import replies
from restante.smtp.limits import Limits
from restante.smtp.replies import Reply

MechanismFactories = Mapping[str, Callable[[], Mechanism]]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What is the same for all sessions of a listener."""

    hostname: str
    limits: Limits
    mechanisms: MechanismFactories
    can_start_tls: bool
    greeting: Reply = field(init=False)  # what every session hears is spelled once
    hello: Reply = field(init=False)
    bye: Reply = field(init=False)

    def __post_init__(self) -> None:
        for name, reply in (("greeting", replies.GREETING), ("hello", replies.HELLO), ("bye", replies.BYE)):
            object.__setattr__(self, name, reply.fill(hostname=self.hostname))
