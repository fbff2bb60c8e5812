"""The states of a drain. Pure."""

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
