"""How the engines say that a peer broke the protocol."""

from restante.smtp.replies import Reply


class CommandRefused(Exception):  # noqa: N818
    """The peer's line cannot be accepted. One place turns this into `reply`."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class PeerBroke(Exception):  # noqa: N818
    """A server we deliver to sent what is no SMTP reply, or one reply too many.

    The session is void.
    """


class ReplyEndLost(PeerBroke):
    """The last reply counts, but where the next one would begin is not known.

    The session is void.
    """
