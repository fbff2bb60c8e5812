"""Which clients' mail goes first, where the destination is told the client.

- A client that gets no answer for some seconds is silent for the rest of the drain. Its mail comes
  behind that of others, and so does that of a client that was refused. Few connections wait for
  silent clients (silent_clients.py); one that waits too long is cut if the mail of others waits.
- A client whose connection was cut at MAIL or RCPT is put behind the others, too.
- After ten silences or refusals in a row we look in our own name (client_looks.py). The attempt
  ends if the destination treats us alike. Otherwise it goes on slowly (refused_clients.py).
"""

from restante.delivery.attempt_connections import AttemptConnections
from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.client_looks import ClientLooks
from restante.delivery.client_outcomes import ClientOutcomes
from restante.delivery.connection_opener import ConnectionOpener
from restante.delivery.link_plan import ConnectionEnd
from restante.delivery.silent_clients import CLIENT_SECONDS
from restante.smtp.passed_client import PassedClient


class ClientOrder:
    """Made for each attempt."""

    def __init__(
        self,
        attempt: AttemptContext,
        mail: AttemptMail,
        connections: AttemptConnections,
        opener: ConnectionOpener,
        *,
        outcomes: ClientOutcomes,
        looks: ClientLooks,
    ) -> None:
        self._supply = attempt.supply
        self._tally = attempt.tally
        self._mail = mail
        self._connections = connections
        self._opener = opener
        self._outcomes = outcomes
        self._looks = looks

    async def look(self) -> None:
        """Let the mail of others pass clients that get no answer, or are refused."""
        self._make_way()
        if self._looks.is_due:
            if stop := await self._looks.look():
                self._tally.stop(*stop)
            self._opener.open()

    def is_deferred(self, client: PassedClient | None, end: ConnectionEnd) -> bool:
        """Return whether a client is deferred whose connection was cut: the mail of others waits.

        Pipelining may be the reason: then the next connection goes on without. Or the destination
        ends a connection that has had its mail.
        """
        is_cut = end.was_cut_at_envelope and end.in_doubt is None and not end.delivered
        if client is None or not is_cut or end.not_borne is not None:
            return False
        return self._supply.waiting > self._supply.waiting_of(client)

    def was_let_in(self) -> None:
        """Note that a client could begin its mail."""
        self._looks.unanswered = 0
        self._outcomes.let_in()

    def go_on_without(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Defer a client that the destination refuses before its mail; others go on."""
        if end.was_silent:
            self._looks.unanswered += 1
        self._outcomes.not_let_in(client, end)
        self._opener.open()

    def go_on_behind(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Put a client behind the others whose connection was cut at MAIL or RCPT."""
        self._outcomes.cut_at_envelope(client, end)
        self._opener.open()

    def _make_way(self) -> None:
        """Put silent clients behind the others, and give their connections to these."""
        waits = self._connections.waits_for_clients
        for client, seconds in waits:
            if seconds > CLIENT_SECONDS and not self._supply.is_silent(client):
                self._supply.found_silent(client, seconds)
                self._opener.add_for_silent_client()
                self._looks.unanswered += 1
        self._mail.defer_surplus()
        if self._opener.passes_one_over:
            ending = self._supply.overdue(waits, self._opener.silent_share)
            for index in ending:
                self._supply.found_silent(*waits[index])
            self._connections.cut_waits_for_clients(ending)
        self._opener.open()
