"""The state of a portal user, and the kinds of second factors. Pure."""

from restante.stable_word import StableWord


class PortalUserState(StableWord):
    """Whether a user can sign in, and why not."""

    ACTIVE = "active"
    INVITED = "invited"
    EXPIRED = "invitation-expired"


class SecondFactor(StableWord):
    """The kinds of second factors."""

    ONE_TIME_CODE = "one-time-code", "one-time code"
    PASSKEY = "passkey"
