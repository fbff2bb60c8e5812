"""The settings of a listener's sessions: shared parts, SMTP options and a TLS context."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from restante.config.listen_settings import IMPLICIT_TLS, ODMR_SERVICES, Listen
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.mail.address import Mailbox, split_mailbox
from restante.mail.own_names import other_names
from restante.network.addresses import peer_address
from restante.network.requested_certificates import RequestedCertificates
from restante.reception.admission import AdmissionSettings
from restante.reception.authentication import Authenticator
from restante.reception.greeting_pause import GreetingPause
from restante.reception.offered_mechanisms import offered_mechanisms
from restante.reception.reception_settings import ReceptionSettings
from restante.reception.services import DialogueServices
from restante.reception.session_traces import SessionTraces
from restante.reception.smtp_connection import SessionSettings
from restante.sasl.scram_keys import Salting
from restante.server.server_setup import HostAndPort
from restante.smtp.limits import SmtpLimits
from restante.smtp.server_options import ServerOptions, ServiceProfile
from restante.tenancy.model import IpAddress


@dataclass(frozen=True, slots=True)
class SessionSettingsMaker:
    """Makes the settings of a listener, at the start and at each reload."""

    services: DialogueServices  # with the settings of the start; each listener gets its own
    authenticator: Authenticator
    own_addresses: Sequence[HostAndPort]  # changed in place by a reload
    greeting: GreetingPause | None = None
    traces: SessionTraces | None = None

    def settings(self, config: Config, listen: Listen, identity: ServerIdentity) -> SessionSettings:
        """Return what the sessions of a listener get under a configuration."""
        reception = config.reception
        services = replace(
            self.services,
            settings=reception,
            admission=replace(
                self.services.admission,
                settings=admission_settings(config, self.own_addresses, identity),
            ),
        )
        options = ServerOptions(
            hostname=config.hostname,
            limits=_limits(reception),
            mechanisms=offered_mechanisms(
                config.hostname, self._salting, takes_certificates=listen.asks_for_certificates
            ),
            can_start_tls=listen.service not in IMPLICIT_TLS,
            profile=service_profile(config, listen),
        )
        contexts = identity.all_contexts(listen, config.tls)
        return SessionSettings(
            services,
            options,
            contexts[0],
            is_implicit_tls=listen.service in IMPLICIT_TLS,
            certificates=RequestedCertificates(contexts) if listen.asks_for_certificates else None,
            greeting=self.greeting if listen.service == "mx" else None,
            traces=self.traces,
        )

    def _salting(self, user: str) -> Salting:
        return self.authenticator.salting(user, self.services.admission.directory.now)


def service_profile(config: Config, listen: Listen) -> ServiceProfile:
    """Return the purpose of a listener."""
    is_odmr = listen.service in ODMR_SERVICES
    return ServiceProfile(
        takes_mail=not is_odmr, turns_around=config.release.offers_turnaround(is_odmr=is_odmr)
    )


def admission_settings(
    config: Config, own_addresses: Iterable[HostAndPort], identity: ServerIdentity
) -> AdmissionSettings:
    """Return the settings of admission that belong to no domain."""
    return AdmissionSettings(
        config.hostname,
        _postmaster(config.reception),
        _specific(own_addresses),
        other_names(config.hostname, identity.names),
    )


def _postmaster(reception: ReceptionSettings) -> Mailbox | None:
    return split_mailbox(reception.postmaster) if reception.postmaster else None


def _specific(own: Iterable[HostAndPort]) -> frozenset[IpAddress]:
    """Return the addresses that listeners are bound to, without wildcard addresses."""
    return frozenset(
        address for host, _ in own if not (address := peer_address(host)).is_unspecified
    )


def _limits(reception: ReceptionSettings) -> SmtpLimits:
    return SmtpLimits(
        message_octets=reception.message_size_limit,
        recipients=reception.recipients_limit,
        errors=reception.errors_limit,
        early_commands=reception.early_commands_limit,
        junk_commands=reception.junk_commands_limit,
        refused_recipients=reception.refused_recipients_limit,
    )
