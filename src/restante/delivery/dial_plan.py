"""How to reach a domain's destination now: addresses, TLS and login by the present record."""

from dataclasses import dataclass, replace

from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.drain_experience import AttemptStart
from restante.delivery.link_plan import LinkPlan
from restante.delivery.route import Endpoint, NoRoute, remote_name
from restante.delivery.tls_plan import TlsPlan
from restante.phrases import cause_of
from restante.smtp.client_auth import ClientLogin
from restante.smtp.handshake import ClientOptions
from restante.smtp.passed_client import PassedClient
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import WindowPace
from restante.tenancy.model import Destination, HostedDomain, TlsUse
from restante.tenancy.sealed_secrets import SealBroken, destination_owner


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Valid for one attempt; the next one looks again."""

    domain: HostedDomain
    endpoints: tuple[Endpoint, ...]
    options: ClientOptions
    tls: TlsPlan | None
    per_minute: int | None = None  # messages to the destination, from all its domains

    @property
    def destination(self) -> Destination:
        """The destination on record when this was made."""
        return self.domain.destination

    @property
    def remote(self) -> str:
        """The destination's name in a report."""
        return remote_name(self.destination)

    @property
    def may_do_without_tls(self) -> bool:
        """Whether plain text may follow TLS that failed."""
        return self.options.may_do_without_tls

    def link_plan(
        self,
        endpoint: Endpoint,
        context: DeliveryContext,
        pace: WindowPace,
        beginning: AttemptStart,
        *,
        is_plain: bool,
        uses_ehlo: bool,
        messages: int,
        client: PassedClient | None = None,
    ) -> LinkPlan:
        """Return the plan of a connection to one endpoint, for at most this many messages.

        `client`: in whose name it is; None for our own.
        """
        most = Pipelining.AHEAD if context.settings.run_ahead else Pipelining.OPENING
        borne = context.memory.backoff.pipelining(self.destination.text)
        options = replace(
            self.options,
            pipelining=min(most, borne, beginning.pipelining),
            probed=beginning.probed,
            uses_ehlo=uses_ehlo and context.memory.backoff.uses_ehlo(self.destination.text),
            client=client,
        )
        return LinkPlan(
            endpoint=endpoint,
            destination=self.destination.text,
            options=replace(options, tls=TlsUse.OFF) if is_plain else options,
            tls=None if is_plain else self.tls,
            settings=context.settings,
            pace=pace,
            messages=messages,
            is_lasting=False,
        )


async def find_dial_plan(domain: HostedDomain, context: DeliveryContext) -> DialPlan:
    """Look everything up. Raises NoRoute if the destination cannot be reached as recorded."""
    destination = domain.destination
    endpoints = await context.dialer.endpoints(destination)
    options = ClientOptions(
        context.dialer.hostname,
        destination.tls,
        _login(domain, context),
        passing=destination.client_address,
    )
    try:
        plan = await context.dialer.tls_plan(destination)
    except OSError as error:
        cause = cause_of(error)
        raise NoRoute(f"the CA file {destination.ca_file!r} cannot be used: {cause}") from error
    per_minute = context.directory.now.per_minute(destination.text)
    return DialPlan(domain, endpoints, options, plan, per_minute)


def _login(domain: HostedDomain, context: DeliveryContext) -> ClientLogin | None:
    login = domain.destination.login
    if login is None:
        return None
    try:
        password = context.vault.open(login.sealed_password, destination_owner(domain.name))
    except SealBroken as error:
        raise NoRoute(str(error)) from error
    experience = context.memory.experience
    useless = experience.useless_mechanisms(domain.destination.text, login.user)
    unanswered = experience.unanswered_mechanisms(domain.destination.text, login.user)
    return ClientLogin(login.user, password, useless, unanswered)
