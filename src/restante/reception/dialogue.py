"""One SMTP session's conversation: events from the engine, facts, a decision, the reply.

No socket here. Theory of operation: `advance` answers events until there is none or one must wait.
An event waits for the intake's sync, for a password check, or for the releaser. Meanwhile the
engine parses nothing more. When the answer comes, `advance` continues by itself, and `on_progress`
tells the connection that there may be something to send.

A dialogue that has lost its connection is `abandon`ed. A message already submitted to the intake is
still held; everything else is forgotten.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, ClassVar

from restante.checks.check import ClientFacts
from restante.checks.session_checks import SessionChecks
from restante.mail.message import ContentFile
from restante.mail.message_id import message_id_of
from restante.mail.own_names import is_our_name
from restante.mail.received_field import SessionFacts
from restante.reception.admission import AdmissionObjection, object_to_content
from restante.reception.admitted_transaction import (
    AdmittedTransaction,
    envelope_of,
    examine_content,
)
from restante.reception.auth_gate import deferred_decision
from restante.reception.authentication import identified
from restante.reception.client_name import ClientName, NameSource
from restante.reception.content_buffer import ContentBuffer
from restante.reception.intake import IntakeReceipt, ReceivedMail
from restante.reception.quota_reservations import FIELD_ROOM
from restante.reception.recipient_admission import Admission, admit_recipient
from restante.reception.services import DialogueServices, SessionTally
from restante.reception.transaction_checks import TransactionChecks
from restante.reception.transaction_log import TransactionLog
from restante.reception.turnaround import Turnaround
from restante.release.atrn import atrn_reply
from restante.release.etrn import etrn_reply
from restante.release.release_outcome import is_confirmed
from restante.release.release_request import ReleaseRequest, Requester
from restante.sasl.mechanism import SaslCredentials
from restante.smtp import replies
from restante.smtp.commands import Atrn, Data, Etrn, Hello, Mail, Quit, Rcpt, StartTls
from restante.smtp.replies import Reply
from restante.smtp.server_events import (
    Authenticate,
    ChunkReceived,
    ContentBlock,
    ContentReceived,
    ServerEvent,
    TransactionAborted,
)
from restante.smtp.server_session import ServerSession
from restante.smtp.session_end import SessionEnd
from restante.store.reception_store import INLINE_LIMIT
from restante.store.store_errors import OverQuota, StoreError, StoreFull
from restante.telemetry.authentication_result import AuthenticationLimit
from restante.telemetry.events import (
    AuthenticationEnded,
    MailLoops,
    StoreFailed,
)
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import HostedDomain, IpAddress, Login


def _nothing() -> None:
    """Do nothing."""


def _unknown() -> None:
    """Return that the system does not tell."""


def _never() -> bool:
    """Return that it must not be done."""
    return False


class Dialogue:
    """One session."""

    def __init__(
        self,
        services: DialogueServices,
        session: ServerSession,
        peer: IpAddress,
        on_progress: Callable[[], None],
        on_stall: Callable[[], None] = _nothing,
        *,
        local: Callable[[], IpAddress | None] = _unknown,
        port: int = 0,
        may_turn_around: Callable[[], bool] = _never,
    ) -> None:
        """`local` returns the address that the client connected to; `port` is the client's own.

        `on_stall` is called when blocks of other sessions make `is_stalled` true.
        `may_turn_around` says whether the connection can be given away now.
        """
        self._services = services
        self._session = session
        self._peer = peer
        self._peer_text = str(peer)  # once: it costs more than a microsecond
        self._port = port
        self._local = local
        self._on_progress = on_progress
        self._on_stall = on_stall
        self._may_turn_around = may_turn_around
        self._transaction: AdmittedTransaction | None = None
        self._checks: SessionChecks | None = None  # once there is a transaction
        self._name = ClientName(_name_source(services), peer)
        self._is_abandoned = False
        self._login: Login | None = None  # proved; good once the session is authenticated
        self.tls = ""  # version and cipher, "" without
        self.client_key = ""  # of the certificate that the client has shown; hex SHA-256
        self.tally = SessionTally()
        self._log = TransactionLog(services.log, self._peer_text)
        self.expects_much = False  # content was announced that goes to a file
        self.spoke_early = False  # before our greeting
        self.client_has_left = False  # it has closed its side, at least
        self.wants_tls = False  # STARTTLS was accepted: the connection must begin the handshake
        self.turnaround: Turnaround | None = None  # the connection must give its wire to it

    def advance(self) -> None:
        """Answer everything that can be answered now."""
        while not self._is_abandoned and (event := self._session.next_event()) is not None:
            self._HANDLERS[type(event)](self, event)

    def abandon(self) -> None:
        """Forget the session; its connection is closed."""
        self._is_abandoned = self.client_has_left = True
        self._session.close()
        self._forget_transaction()
        if self._checks is not None:
            self._checks.close()
            self._checks = None
        self._log.close()
        self._on_progress = self._on_stall = (
            _nothing  # the connection has this: no reference cycle for the garbage collector
        )
        self._may_turn_around = _never
        self._local = _unknown

    def turn_around(self, turnaround: Turnaround) -> bool:
        """Give the connection away as soon as the reply has left. Call it just before the reply.

        False where that cannot be: the client has left, the server stops, or octets wait behind the
        command. Those were sent too early: they would be read as replies to our commands.
        """
        if self._is_abandoned or not self._may_turn_around():
            return False
        self.turnaround = turnaround
        return True

    @property
    def login(self) -> Login | None:
        """Return the login of an authenticated client; there is none before it took our proof."""
        return self._login if self._session.is_authenticated else None

    @property
    def is_waiting(self) -> bool:
        """Content arrives faster than it can be written, here or in all sessions together."""
        return self._session.awaits_answer

    @property
    def is_stalled(self) -> bool:
        """Content arrives faster than it can be written, in this session or in all together."""
        return self._transaction is not None and self._transaction.content.is_stalled

    def _note(self, _event: Hello | Quit) -> None:
        """Do nothing: the session has answered."""

    def _accept_start_tls(self, _event: StartTls) -> None:
        self.wants_tls = True
        self._session.reply(replies.READY_FOR_TLS)

    # The mail transaction

    def _begin_transaction(self, mail: Mail) -> None:
        services = self._services
        if services.store.absence:  # before the content: it could only be refused after it
            self._session.reply(replies.STORE_FAILED)
            return
        if services.disk_space.is_short:
            self._session.reply(replies.STORE_FULL)
            return
        content = ContentBuffer(
            services.content,
            on_room=self._on_progress,
            on_stall=self._on_stall,
            announced=mail.size,
            hostname=services.admission.settings.hostname,
        )
        self.expects_much = mail.size > INLINE_LIMIT
        self._transaction = AdmittedTransaction(mail, content, self._checks_for(mail))
        self._session.reply(replies.SENDER_OK)

    def _checks_for(self, mail: Mail) -> TransactionChecks:
        if self._checks is None:
            self._checks = SessionChecks(self._services.checks)
        client = ClientFacts(
            self._peer,
            self._session.client_name,
            self._services.admission.settings.hostname,
            self.tls,
            is_authenticated=self.login is not None,
            spoke_early=self.spoke_early,
            port=self._port,
        )
        return TransactionChecks(self._checks, client, mail.reverse_path)

    def _answer_rcpt(self, rcpt: Rcpt) -> None:
        transaction = self._transaction
        assert transaction is not None
        admission = admit_recipient(rcpt.forward_path, transaction, self._services.admission)
        if not isinstance(admission, AdmissionObjection):
            self._name.ask()
        if isinstance(admission, Admission):
            self._reply_to_rcpt(transaction, rcpt, admission)
        else:
            self._answer_later(self._answer_rcpt_later(transaction, rcpt, admission))

    async def _answer_rcpt_later(
        self,
        transaction: AdmittedTransaction,
        rcpt: Rcpt,
        admission: Coroutine[Any, Any, Admission],
    ) -> None:
        admitted = await admission
        if not self._is_abandoned:
            self._reply_to_rcpt(transaction, rcpt, admitted)
            self._go_on()

    def _reply_to_rcpt(
        self, transaction: AdmittedTransaction, rcpt: Rcpt, admission: Admission
    ) -> None:
        if isinstance(admission, AdmissionObjection):
            self._log.recipient_refused(transaction, rcpt.forward_path, admission)
            self._session.reply(admission.reply)
            return
        transaction.add(admission, rcpt.request)
        self._session.reply(replies.RECIPIENT_OK)

    def _await_content(self, _event: Data) -> None:
        self._session.reply(replies.START_CONTENT)

    def _add_content(self, block: ContentBlock) -> None:
        if self._transaction is not None:
            self._transaction.content.add(block.octets)

    def _answer_chunk(self, chunk: ChunkReceived) -> None:
        transaction = self._transaction
        if transaction is None:
            self._refuse_content(replies.STORE_FAILED)
        elif transaction.content.failure is not None:
            self._refuse_content(_reply_to(transaction.content.failure))
        else:
            self._session.reply(replies.CHUNK_OK.fill(octets=chunk.octets))

    def _take(self, received: ContentReceived) -> None:
        """Hand complete content to the intake, through a durable file if it is large."""
        transaction = self._transaction
        assert transaction is not None
        if (
            flaw := _flaw_in(received)
        ) is not None and self._services.settings.bare_newlines == "reject":
            self._refuse_content(flaw)
        elif transaction.content.failure is not None:
            self._refuse_content(_reply_to(transaction.content.failure))
        elif (objection := self._object_to_content(transaction)) is not None:
            self._refuse_content(objection.reply, objection.reason)
        elif transaction.checks.read_content:
            self._answer_later(self._examine_content(transaction))
        elif transaction.content.is_spooled:
            self._answer_later(self._finish_spool(transaction))
        elif self._name.is_awaited:
            self._answer_later(self._submit_named(transaction))
        else:
            self._submit(transaction, transaction.content.inline(), None)

    async def _examine_content(self, transaction: AdmittedTransaction) -> None:
        """Have the checks examine content, once the client's name is known: they judge by it."""
        await self._name.wait()
        if not self._is_abandoned:
            await self._await_verdict(transaction)

    async def _await_verdict(self, transaction: AdmittedTransaction) -> None:
        """Hand content to the intake if the checks let it pass."""
        examination = examine_content(transaction, self._name.confirmed)
        try:
            refused = None if examination is None else await examination
        except StoreError as error:
            self._refuse_unread(error)
            return
        if self._is_abandoned:
            return
        if refused is not None:
            self._refuse_content(refused.reply, refused.reason)
            self._go_on()
        elif transaction.content.is_spooled:
            await self._finish_spool(transaction)
        else:
            await self._submit_named(transaction)

    async def _submit_named(self, transaction: AdmittedTransaction) -> None:
        """Give a message in memory to the intake once its client's name is known, or is late."""
        await self._name.wait()
        if not self._is_abandoned:
            self._submit(transaction, transaction.content.inline(), None)

    def _object_to_content(self, transaction: AdmittedTransaction) -> AdmissionObjection | None:
        """Apply the domains' limits to the real size: SIZE may be missing or wrong."""
        admission, content = self._services.admission, transaction.content
        domains = list({domain.id: domain for domain in transaction.recipients.values()}.values())
        if content.passes > self._services.settings.passes_limit:
            return self._object_to_loop(domains, content.passes)
        bounded = [domain for domain in domains if admission.facts.matter(domain)]
        if not bounded:
            return None
        objection = None
        if len(bounded) == len(domains):  # otherwise one of them takes everything
            facts = ((domain, admission.facts.of_domain(domain)) for domain in domains)
            objection = object_to_content(content.size, facts)
        if objection is None:
            room = content.size + FIELD_ROOM
            content.reserve(admission.facts.reserve(bounded, room))
        elif objection.is_quota:
            for domain in domains:
                admission.after_holding.refused_for_quota(domain)
        return objection

    def _object_to_loop(self, domains: Sequence[HostedDomain], passes: int) -> AdmissionObjection:
        """Defer a message that has come back too often: time cures it, if people do."""
        for domain in domains:
            self._services.log.publish(
                MailLoops(
                    domain=domain.name, account=domain.account, peer=self._peer_text, passes=passes
                )
            )
        reason = f"it has {passes} Received fields of this server: a mail loop"
        return AdmissionObjection(replies.MAIL_LOOPS, reason)

    async def _finish_spool(self, transaction: AdmittedTransaction) -> None:
        intake, file, copies = self._services.intake, None, list[ContentFile]()
        try:
            file = await transaction.content.finish()
            if not self._is_abandoned:
                copies = await intake.copies_of(file, _domain_ids(transaction))
                await self._name.wait()
        except StoreError as error:
            if file is None or not self._is_abandoned:  # otherwise it was removed under the copy
                self._refuse_unread(error)
            return
        if self._is_abandoned:
            transaction.content.discard()
            intake.discard(copies)
        else:
            self._submit(transaction, b"", file, copies)

    def _refuse_unread(self, error: StoreError) -> None:
        """Refuse content that the spool could not take or give back."""
        self._services.log.publish(
            StoreFailed(error=error, doing=WorkWord.SPOOL, peer=self._peer_text)
        )
        if not self._is_abandoned:
            self._refuse_content(_reply_to(error))
            self._go_on()

    def _submit(
        self,
        transaction: AdmittedTransaction,
        content: bytes,
        file: ContentFile | None,
        copies: Sequence[ContentFile] = (),
    ) -> None:
        """Give the message to the intake. It is held from now on, even if the client vanishes."""
        self._transaction = None
        domain_ids = _domain_ids(transaction)
        mail = ReceivedMail(
            origin=self._origin(),
            envelope=envelope_of(transaction),
            domain_ids=domain_ids,
            content=content,
            file=file,
            copies=copies,
            message_id=message_id_of(content) if file is None else transaction.content.message_id,
            findings=transaction.checks.findings_for(domain_ids),
            on_held=lambda receipt: self._on_held(transaction, receipt),
        )
        self._services.intake.submit(mail)

    def _on_held(self, transaction: AdmittedTransaction, receipt: IntakeReceipt) -> None:
        if receipt.failure is not None:
            transaction.content.discard()
            reply = _reply_to(receipt.failure)
        else:
            transaction.content.land()
            self.tally.held += 1
            reply = replies.MESSAGE_HELD.fill(name=receipt.name)
        self._log.settled(transaction, receipt, reply)
        if not self._is_abandoned:
            self._session.reply(reply)
            self._go_on()

    def _refuse_content(self, reply: Reply, reason: str = "") -> None:
        transaction = self._transaction
        self._forget_transaction()
        self._log.content_refused(transaction, reply, reason)
        self._session.reply(reply)

    def _abort_transaction(self, _event: TransactionAborted) -> None:
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        if self._transaction is not None:
            self._transaction.content.discard()
            self._transaction.checks.abort()
            self._transaction = None

    def _origin(self) -> SessionFacts:
        session = self._session
        settings = self._services.admission.settings
        name = self._name.answer
        return SessionFacts(
            session.client_name,
            self._peer_text,
            session.is_extended,
            self.tls,
            is_authenticated=session.is_authenticated,
            has_our_name=is_our_name(
                session.client_name, settings.hostname, self._own_addresses, settings.names
            ),
            port=self._port,
            host_name=name.name,
            ptr=name.status,
        )

    def _own_addresses(self) -> Collection[IpAddress]:
        local = self._local()
        return self._services.admission.settings.addresses | ({local} if local else set())

    # AUTH and ETRN

    def _answer_authenticate(self, event: Authenticate) -> None:
        self._answer_later(self._authenticate(event.mechanism, event.credentials))

    def _answer_etrn(self, event: Etrn) -> None:
        self._answer_later(self._release(event.argument))

    def _answer_atrn(self, event: Atrn) -> None:
        self._answer_later(self._turn(event.argument))

    async def _authenticate(self, mechanism: str, credentials: SaslCredentials) -> None:
        services = self._services
        directory = services.admission.directory.now
        credentials = identified(credentials, self.client_key, directory)
        if services.store.is_reachable:
            verdict = await services.auth_gate.attempt(
                credentials, self._peer, directory, lambda: not self.client_has_left
            )
        else:  # the login may have been changed elsewhere meanwhile
            verdict = deferred_decision(AuthenticationLimit.STORE_AWAY)
        services.log.publish(
            AuthenticationEnded(
                peer=self._peer_text,
                login=credentials.user
                if credentials.user in directory.logins
                else "",  # it may be a password in the wrong place
                mechanism=mechanism,
                result=verdict.result,
                deferred_by=verdict.limit,
            )
        )
        if self._is_abandoned:
            return
        self._login = verdict.login
        self._session.reply(verdict.reply, verdict.last_word)
        if verdict.login is None:
            self._count_failed_authentication()
        self._go_on()

    def _count_failed_authentication(self) -> None:
        self.tally.authentication_failures += 1
        if (
            self.tally.authentication_failures
            >= self._services.settings.authentication_failures_limit
        ):
            reply = replies.TOO_MANY_ERRORS.fill(
                hostname=self._services.admission.settings.hostname
            )
            self._session.close(reply, SessionEnd.FAILED_AUTHENTICATIONS)

    async def _release(self, argument: str) -> None:
        """Answer ETRN; without a login it is 530, and audited like the rest."""
        request = ReleaseRequest(Requester(login=self.login, address=self._peer), argument)
        outcome = await self._services.releaser.release(request)
        self.tally.releases += is_confirmed(outcome)
        if not self._is_abandoned:
            self._session.reply(etrn_reply(outcome))
            self._go_on()

    async def _turn(self, argument: str) -> None:
        """Answer ATRN, and give the connection away behind the 250."""
        request = ReleaseRequest(Requester(login=self.login, address=self._peer), argument)
        answer = await self._services.releaser.turn(request)
        reply = atrn_reply(answer.outcome)
        if answer.turnaround is not None and not self.turn_around(answer.turnaround):
            reply = replies.BAD_SEQUENCE
            answer.turnaround.call_off("the client has left, or sent more behind its command")
        self.tally.releases += self.turnaround is not None
        if not self._is_abandoned:
            self._session.reply(reply)
            self._go_on()

    def _answer_later(self, answer: Coroutine[None, None, None]) -> None:
        self._services.content.spawn(self._answer_or_end(answer))

    async def _answer_or_end(self, answer: Coroutine[None, None, None]) -> None:
        """Finish an answer. A defect ends this session, which would otherwise wait permanently."""
        try:
            await answer
        except Exception:
            self._forget_transaction()
            self._session.close(
                replies.INTERNAL_ERROR.fill(hostname=self._services.admission.settings.hostname),
                SessionEnd.DEFECT,
            )
            self._on_progress()
            raise

    def _go_on(self) -> None:
        self.advance()
        self._on_progress()

    _HANDLERS: ClassVar[Mapping[type[ServerEvent], Callable[["Dialogue", Any], None]]] = {
        ContentBlock: _add_content,
        Rcpt: _answer_rcpt,
        Mail: _begin_transaction,
        Data: _await_content,
        ContentReceived: _take,
        ChunkReceived: _answer_chunk,
        TransactionAborted: _abort_transaction,
        Authenticate: _answer_authenticate,
        Etrn: _answer_etrn,
        Atrn: _answer_atrn,
        StartTls: _accept_start_tls,
        Hello: _note,
        Quit: _note,
    }


def _name_source(services: DialogueServices) -> NameSource | None:
    """Return where the names of clients are found; None where nobody wants them."""
    is_wanted = services.settings.ptr or any(check.reads_content for check in services.checks)
    return services.admission.client_names if is_wanted else None


def _flaw_in(received: ContentReceived) -> Reply | None:
    """Return the refusal of malformed content where it is not repaired; None if it is sound."""
    if received.found_bare_newline:
        return replies.BARE_NEWLINE
    return replies.NUL_IN_CONTENT if received.found_nul else None


def _domain_ids(transaction: AdmittedTransaction) -> list[int]:
    """Return the domain of each recipient."""
    return [domain.id for domain in transaction.recipients.values()]


def _reply_to(failure: StoreError) -> Reply:
    """Return the reply to a failure of the store. It is temporary in each case."""
    if isinstance(failure, OverQuota):
        return replies.QUOTA_FULL
    return replies.STORE_FULL if isinstance(failure, StoreFull) else replies.STORE_FAILED
