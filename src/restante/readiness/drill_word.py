"""The words of drills. Pure."""

from restante.stable_word import StableWord


class DrillAsk(StableWord):
    """The one who asks for the drill's message."""

    OPERATOR = "operator", "this server"
    PRIMARY = "primary", "the primary"


class DrillStep(StableWord):
    """The steps of a drill, in their order."""

    CHECK = "check", "check of the domain"
    ENTER = "enter", "accepted"
    HOLD = "hold", "held"
    HAND_OVER = "hand-over", "handed over"
