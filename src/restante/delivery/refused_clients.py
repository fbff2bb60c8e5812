"""The clients that a destination refuses, or defers by policy, one after the other. Pure.

A destination that is told the client can refuse it before its mail: at the greeting, EHLO or
XCLIENT, or by closing the connection. Or it defers each message of the client by policy. Both are
facts about the client, as long as the destination would talk to us. So the mail of others goes on,
and many of them in a row slow an attempt down. A delivered message ends the row:

    clients refused or deferred in a row          the attempt
    --------------------------------------------  ----------------------------------------------
    fewer than FREE_CLIENTS                       goes on at once
    more                                          begins at most CLIENTS_PER_SECOND connections a
                                                  second; domains share this number where they
                                                  have one destination
    ROW_LIMIT                                     ends; the next one begins behind them, after
                                                  ROW_PAUSE, or a longer pause of the drain

    clients refused since one could begin         first
    --------------------------------------------  ----------------------------------------------
    FIRST_LOOK, then each LATER_LOOK more         a look in our own name; the attempt ends if the
                                                  destination refuses us too

It can also take a client's commands, and refuse each message by policy: 5xx with X.7.x. That is a
fact about the client too, until it is said of too many. A block list can be broken, and name
everybody. So few such refusals stand while nothing is delivered:

    clients refused by policy in a row            their mail
    --------------------------------------------  ----------------------------------------------
    up to `delivery.refusals_limit`               is refused
    more, in this attempt or a later one          stays held, and comes behind that of others; the
                                                  first one, and each LATER_LOOK more, lead to a
                                                  look in our own name, with MAIL and RCPT

These clients count among those in a row, above. So do clients whose mail is deferred at MAIL or
RCPT, by 421, by closing, or by 4xx for no policy. FIRST_LOOK of them lead to that look, too. A
destination in trouble tells us the same as the clients.

A refused client's mail comes behind that of others for the rest of the drain. As for silence
(silent_clients.py), the memory is of addresses of IPv4 and of networks of IPv6. In later drains it
is last too, if a look has shown that the refusal is about the client (queue/deferred_by_policy.py).
A client deferred by policy keeps its place: greylisting takes its mail the second time.
"""

from collections import Counter
from typing import Final

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.stop_rules import AttemptStop
from restante.network.addresses import address_block
from restante.smtp.passed_client import PassedClient

FREE_CLIENTS: Final = 10
CLIENTS_PER_SECOND: Final = 5
ROW_LIMIT: Final = 500
ROW_PAUSE: Final = 60.0  # seconds
FIRST_LOOK: Final = 10
LATER_LOOK: Final = 100


class RefusedClients:
    """How often each network was refused in one drain."""

    def __init__(self) -> None:
        self._times: Counter[int] = Counter()

    def __contains__(self, client: PassedClient | None) -> bool:
        return self.times(client) > 0

    def note(self, client: PassedClient) -> None:
        """Remember that a client was refused."""
        self._times[address_block(client.address)] += 1

    def times(self, client: PassedClient | None) -> int:
        """Return how often clients of its network were refused."""
        if client is None or not self._times:
            return 0
        return self._times[address_block(client.address)]


class PolicyRefusals:
    """The clients whose mail was refused by policy since the last delivery, in one drain."""

    def __init__(self) -> None:
        self._clients: set[PassedClient] = set()  # whose refusals stand

    def stands(self, client: PassedClient, limit: int) -> bool:
        """Count a refusal; return whether it stands: only with fewer than `limit` clients before.

        Otherwise the mail stays held, whichever client it has.
        """
        if len(self._clients) >= limit:
            return False
        self._clients.add(client)
        return True

    def delivered(self) -> None:
        """Count a message that was taken: refusals stand again."""
        self._clients.clear()


class ClientRow:
    """The clients that were refused or deferred in a row, in one attempt."""

    def __init__(self) -> None:
        self._refused = 0
        self._deferred: set[PassedClient] = set()  # or refused by policy
        self._kept: set[PassedClient] = set()  # of these, whose refused mail stays held
        self._until_look = FIRST_LOOK  # clients to be refused before the next look
        self.is_about_clients = False  # a look has shown that the destination would talk to us
        self._until_mail_look = FIRST_LOOK  # clients, before the next such look
        self._deferred_at_envelope: set[PassedClient] = set()  # at MAIL or RCPT, once or more
        self.takes_our_mail = False  # a look with MAIL and RCPT has shown it
        self.mailbox = ""  # to which the last refused message was that stays held

    @property
    def is_long(self) -> bool:
        """Whether connections begin one after the other now."""
        return self._refused + len(self._deferred) >= FREE_CLIENTS

    @property
    def needs_look(self) -> bool:
        """Whether nothing begins before a look in our own name."""
        return self._until_look <= 0 or self.needs_mail_look

    @property
    def needs_mail_look(self) -> bool:
        """Whether that look has MAIL and RCPT."""
        return self._until_mail_look <= 0

    def refused(self, reason: str) -> AttemptStop | None:
        """Count a client that was refused before its mail; return why the attempt must end."""
        self._refused += 1
        self._until_look -= 1
        return self._stop(reason)

    def deferred(self, client: PassedClient, reason: str) -> AttemptStop | None:
        """Count a client whose mail a policy defers or refuses, once; return as above."""
        self._deferred.add(client)
        return self._stop(reason)

    def kept(self, client: PassedClient, mailbox: str, reason: str) -> AttemptStop | None:
        """Count a client whose refused mail stays held, once; return as above."""
        self.mailbox = mailbox
        if client not in self._kept:
            self._kept.add(client)
            self._until_mail_look -= 1
        if not self.takes_our_mail:
            self._until_mail_look = 0
        return self.deferred(client, reason)

    def deferred_at_envelope(
        self, client: PassedClient, mailbox: str, reason: str
    ) -> AttemptStop | None:
        """Count a client whose mail was deferred at MAIL or RCPT, once; return as above."""
        self.mailbox = mailbox
        if client not in self._deferred_at_envelope:
            self._deferred_at_envelope.add(client)
            self._until_mail_look -= 1
        return self.deferred(client, reason)

    @property
    def has_kept(self) -> bool:
        """Whether refused mail of some client stays held."""
        return bool(self._kept)

    def let_in(self) -> None:
        """Count a client that could begin its mail."""
        self._until_look = FIRST_LOOK

    def looked(self) -> None:
        """Count a look that has shown that the destination would talk to us."""
        self._until_look = LATER_LOOK
        self.is_about_clients = True

    def looked_with_mail(self) -> None:
        """Count a look that has shown that the destination would take mail from us."""
        self.looked()
        self._until_mail_look = LATER_LOOK
        self.takes_our_mail = True

    def delivered(self) -> None:
        """Count a message that was taken: the row is over."""
        self._refused = 0
        self._deferred.clear()
        self._kept.clear()
        self._deferred_at_envelope.clear()
        self._until_look = self._until_mail_look = FIRST_LOOK
        self.is_about_clients = self.takes_our_mail = False

    def _stop(self, reason: str) -> AttemptStop | None:
        if self._refused + len(self._deferred) < ROW_LIMIT:
            return None
        words = f"{ROW_LIMIT} clients in a row were refused, or deferred by policy: {reason}"
        return AttemptStop(words, AttemptKind.REFUSED_CLIENTS)
