"""The states and the ends of a drain. Pure."""

from restante.stable_word import StableWord


class DrainState(StableWord):
    """The present work of a drain."""

    WAITING_TURN = "waiting-turn", "waiting its turn"
    LOOKING_UP = "looking-up", "looking up the destination"
    DELIVERING = "delivering"
    SETTLING = "settling"
    WAITING_TO_RETRY = "waiting-to-retry"
    STOPPING = "stopping"
    UNCLAIMED = "unclaimed", "waiting for a server"


class DrainWay(StableWord):
    """Where a drain hands mail over, and which."""

    DESTINATION = "destination"
    TURNAROUND = "turnaround"  # on the connection that the client made (RFC 2645)
    MESSAGES = "messages"  # to the destination, and only the messages that were named


class DrainEnd(StableWord):
    """How a drain ended."""

    FINISHED = "finished"  # everything was delivered, or marked refused
    GIVEN_UP = "given-up"  # the rest is held, and waits for the next request
    REFUSED = "refused"  # the destination refused message after message
    STOPPED = "stopped"  # on request, with the server, or with its domain
