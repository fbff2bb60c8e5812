"""A drill: one message goes the whole way that mail goes on a bad day.

    check       the check of the domain, where a FAIL stops the drill
    enter       the message comes in at our public listener, by SMTP and STARTTLS
    hold        it is found in the store
    hand-over   this server hands it over, and it alone; or the primary asks for the domain's mail
                by itself. The destination's reply is kept.

A drill that fails removes its message. Where the server stops in the middle of a drill, the message
stays held until another drill or the timers' keeper finds it (`drill_leftovers`). Its reverse-path
is null: nobody gets a report. Of all servers of a store, one drills a domain at a time.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, Final, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind, no_server
from restante.admin.auditing import announce, entry_about_mail, moment
from restante.admin.domain_check import examined
from restante.admin.domains import find_domain
from restante.admin.drill_arrival import note_arrived
from restante.admin.drill_leftovers import (
    DrillBeginning,
    forget_beginning,
    mark_beginning,
    remove_leftover,
)
from restante.admin.drill_proof import DrillProof, DrillStepView, DrillView, signed
from restante.admin.drill_records import record_drill
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.admin.scope import list_held
from restante.mail.address import split_mailbox
from restante.mail.message import message_name
from restante.mail.quantity import counted
from restante.network.addresses import split_host_port
from restante.network.public_address import is_public
from restante.phrases import BY_ATRN_ONLY, suspended
from restante.queue.history import HistoryFilter
from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.readiness.drill_entry import DrillEntry, DrillEnvelope, NotTaken, bring
from restante.readiness.drill_message import DrillMessage
from restante.readiness.drill_word import DrillAsk, DrillStep
from restante.readiness.readiness_row import ReadinessCheck, ReadinessVerdict
from restante.release.release_outcome import is_confirmed
from restante.request_limits.dial_limits import DialPurpose
from restante.shielded_task import shielded
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.release_store import ReleaseFilter
from restante.tenancy.audit import AuditAction
from restante.tenancy.drill_pass import drill_pass
from restante.tenancy.model import HostedDomain

MOST_SECONDS: Final = 600.0  # to wait for the hand-over
_ENTER_SECONDS: Final = 30.0  # longer than a greeting pause and an answer about a mailbox
_LOOK_SECONDS: Final = 0.05  # between two looks whether the message has left
_LONGEST_REASON: Final = 500  # characters, of an entry in the trail
_MX: Final = "mx"  # the service that everybody reaches
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where such a listener is reached
_SPECIAL: Final = frozenset('<>" \\')  # of a path that has to be quoted
_SET_APART: Final = frozenset(RecipientStatus) - {RecipientStatus.HELD, RecipientStatus.GONE}


def _own_address(text: str) -> str:
    if text and ip_address(text).is_unspecified:  # a ValueError too, for other text
        raise ValueError("must be an address of this machine")
    return text


class DrillOrder(BaseModel):
    """How to drill."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipient: LineText = ""  # "" is postmaster at the domain
    ask: DrillAsk = DrillAsk.OPERATOR
    wait: Annotated[float, Field(ge=1, le=MOST_SECONDS)] = 60.0  # seconds for the hand-over
    client: Annotated[LineText, AfterValidator(_own_address)] = ""  # from which it comes; "": any
    despite_check: bool = False  # also where the check of the domain fails
    reason: LineText = ""


class StepFailed(Exception):  # noqa: N818
    """A step failed; the drill is over."""

    def __init__(self, step: DrillStep, failure: str, remedy: str) -> None:
        self.step = step
        self.failure = failure
        self.remedy = remedy
        super().__init__(failure)


@dataclass(slots=True)
class _DrillNotes:
    """The facts that a drill has found so far."""

    steps: list[DrillStepView] = field(default_factory=list)
    check: ReadinessVerdict = ReadinessVerdict.UNKNOWN
    entry: DrillEntry = field(default_factory=lambda: DrillEntry("", "", ""))
    number: int = 0  # of the message
    asked_by: str = ""
    reply: str = ""
    seconds: float = 0.0
    failed: StepFailed | None = None


async def drill_domain(
    context: AdminContext, name: str, order: DrillOrder, words: Callable[[str], str] = str
) -> DrillProof:
    """Drill a domain, and return the proof; that of a drill that failed says so.

    `words` returns a remedy as the client understands it. Raises AdminError if it cannot start, and
    StoreError.
    """
    permit(context.principal, AdminAction.DOMAIN_DRILL)
    if context.server is None:
        raise no_server("drill")
    domain = find_domain(context, name)
    async with drill_duty(context, domain) as is_ours:
        if not is_ours:
            error = f"drill: another drill of {domain.name} runs"
            _refuse(error, "wait for its end; `restante status` then shows its result")
        _check_start(context, domain, order)
        await remove_leftover(context, domain)
        proven = await _Drill(context, domain, order).run()
    remedy = words(proven.remedy)
    return signed(context.vault, proven.model_copy(update={"remedy": remedy}))


def drill_duty(context: AdminContext, domain: HostedDomain) -> AbstractAsyncContextManager[bool]:
    """Return the duty of drilling a domain, which one process of the store has at a time."""
    return context.store.duties.perform_if_free(f"drill of {domain.name}")


def public_listener(context: AdminContext) -> tuple[str, int] | None:
    """Return address and port at which this server takes mail of strangers with STARTTLS."""
    for one in context.server.listeners() if context.server is not None else ():
        if one.service == _MX and one.tls_minimum:
            host, port = split_host_port(one.address)
            return _ANY.get(host, host), port
    return None


def _check_start(context: AdminContext, domain: HostedDomain, order: DrillOrder) -> None:
    """Raise AdminError if no drill can begin now."""
    _check_client(context, order.client)
    suspension = domain.policy.suspension_at(context.now())
    if suspension is not None:
        error = suspended(domain.name, suspension.reason)
        _refuse(f"drill: {error}", f"`restante domain set {domain.name} --hold until-asked` first")
    if not domain.destination.is_reachable:
        _refuse(f"drill: {domain.name}: {BY_ATRN_ONLY}", "set a destination, or ask by ATRN")
    held = context.store.figures.usage(domain.id).held
    if order.ask is DrillAsk.PRIMARY and held:
        mail = counted(held, "other message")
        error = f"drill: {domain.name} holds {mail}, and its release would hand over all"
        _refuse(error, f"`restante release {domain.name}` first, or drill with --ask operator")
    recipient = _recipient(domain, order)
    is_plain = recipient.isprintable() and not _SPECIAL & set(recipient)
    if not is_plain or split_mailbox(recipient).domain.lower() != domain.name:
        error = f"recipient {recipient}: is not in {domain.name}"
        raise AdminError(ErrorKind.INVALID, error, "name a mailbox of the domain")


def _check_client(context: AdminContext, client: str) -> None:
    """Raise AdminError for an address that an account may not try.

    Otherwise the failures would tell it the addresses of internal networks.
    """
    if not client or context.principal.sees_everything or is_public(ip_address(client)):
        return
    error = f"client {client}: is not a public address"
    raise AdminError(ErrorKind.INVALID, error, "name a public address of this server")


def _refuse(error: str, remedy: str) -> NoReturn:
    raise AdminError(ErrorKind.CONFLICT, error, remedy)


def _failure_text(failed: StepFailed) -> str:
    return f"{failed.step}: {failed.failure}"


def _recipient(domain: HostedDomain, order: DrillOrder) -> str:
    return order.recipient or f"postmaster@{domain.name}"


class _Drill:
    """One drill, from its check to its record."""

    def __init__(self, context: AdminContext, domain: HostedDomain, order: DrillOrder) -> None:
        self._context = context
        self._domain = domain
        self._order = order
        self._clock: Callable[[], float] = context.memory.monotonic
        self._began = self._clock()
        self._at = context.now()
        self._notes = _DrillNotes()
        self._beginning = DrillBeginning(domain.id, domain.name, self._at)
        self._message = DrillMessage(
            token=self._beginning.token(context.vault),
            domain=domain.name,
            hostname=context.network.hostname,
            recipient=_recipient(domain, order),
            at=moment(self._at),
        )

    async def run(self) -> DrillView:
        """Play the steps, and record the result. Raises StoreError."""
        try:
            await self._check()
            await self._enter()
            await self._hand_over()
        except StepFailed as failed:
            self._notes.failed = failed
        finally:
            await shielded(self._clean_up())
        await self._record()
        return self._view()

    # The steps

    async def _check(self) -> None:
        found = await examined(self._context, self._domain, DialPurpose.DRILL)
        self._notes.check = found.verdict
        fails = [
            row
            for row in found.rows
            if row.verdict is ReadinessVerdict.FAIL and not self._is_proven_by_drill(row.check)
        ]
        if fails and not self._order.despite_check:
            text = "; ".join(f"{row.title}: {row.evidence}" for row in fails)
            remedy = f"`restante domain check {self._domain.name}`, or --despite-check"
            raise StepFailed(DrillStep.CHECK, text, remedy)
        self._note(DrillStep.CHECK, f"the worst verdict is {found.verdict.text}")

    def _is_proven_by_drill(self, check: ReadinessCheck) -> bool:
        """Tell whether a row says only that the primary has not asked yet."""
        return check is ReadinessCheck.RELEASE

    async def _enter(self) -> None:
        host, port = self._listener()
        await mark_beginning(self._context.store.retention, self._beginning)
        envelope_id = drill_pass(self._context.vault, self._domain.name, self._at)
        hello = self._context.network.hostname
        recipient, source = self._message.recipient, self._order.client
        envelope = DrillEnvelope(hello, envelope_id, recipient, source)
        try:
            found = await bring(host, port, envelope, self._message.content, _ENTER_SECONDS)
        except NotTaken as failed:
            remedy = "the policy of the domain or of this server refuses it: see the words"
            raise StepFailed(DrillStep.ENTER, str(failed), remedy) from None
        self._notes.entry = found
        self._note(DrillStep.ENTER, f"{found.tls}; {found.reply}")
        message_id = self._message.message_id
        listed = await self._find(message_id=message_id)
        if listed is not None:
            self._notes.number = listed.number
            self._note(DrillStep.HOLD, f"as {message_name(listed.number)}")
            return
        wanted = HistoryFilter(domain_ids=(self._domain.id,), message_id=message_id)
        left = await self._context.store.history.history(wanted)
        if not left:
            text = f"the message {message_id} is not in the store"
            raise StepFailed(DrillStep.HOLD, text, "see the log: it was taken a moment ago")
        self._notes.number = left[0].number
        name = message_name(left[0].number)
        self._note(DrillStep.HOLD, f"as {name}, and it left at once by the policy of the domain")

    def _listener(self) -> tuple[str, int]:
        """Return where strangers bring mail."""
        found = public_listener(self._context)
        if found is None:
            text = "no listener of the service mx with TLS is open"
            raise StepFailed(DrillStep.ENTER, text, "add one to the configuration")
        return found

    async def _hand_over(self) -> None:
        asked_at = self._clock()
        if self._order.ask is DrillAsk.OPERATOR:
            await self._ask()
        last = await self._await_end(asked_at + self._order.wait)
        if last is not None:
            text, remedy = self._left_text(last)
            raise StepFailed(DrillStep.HAND_OVER, text, remedy)
        await self._read_reply()
        self._notes.seconds = max(self._clock() - asked_at, 0.001)
        self._note(DrillStep.HAND_OVER, f"asked by {self._notes.asked_by}: {self._notes.reply}")

    async def _ask(self) -> None:
        assert self._context.server is not None, "it was checked"
        principal = self._context.principal
        outcome = await self._context.server.release_messages(
            self._domain.name, message_name(self._notes.number), principal, "drill"
        )
        if not is_confirmed(outcome):
            remedy = f"see `restante drain list` for {self._domain.name}"
            raise StepFailed(DrillStep.HAND_OVER, outcome.reason, remedy)

    async def _await_end(self, until: float) -> QueuedMessage | None:
        """Wait until the message has left: then None. Otherwise return it as it is at the end."""
        while (listed := await self._find(numbers=(self._notes.number,))) is not None:
            statuses = {one.status for one in listed.recipients}
            if statuses & _SET_APART or self._clock() >= until:
                return listed
            await asyncio.sleep(_LOOK_SECONDS)
        return None

    def _left_text(self, listed: QueuedMessage) -> tuple[str, str]:
        """Return why a message has not left, and the remedy."""
        replies = [one.reply for one in listed.recipients if one.reply]
        if any(one.status in _SET_APART for one in listed.recipients):
            check = f"`restante domain check {self._domain.name}`"
            return f"the destination said: {'; '.join(replies)}", f"{check} tells the cause"
        said = f"; the last reply was {replies[0]}" if replies else ""
        if self._order.ask is DrillAsk.PRIMARY:
            text = f"the primary asked for no mail within {self._order.wait:.0f} s{said}"
            return text, "have it send ETRN during the drill, and give it time by --wait"
        text = f"it was not handed over within {self._order.wait:.0f} s{said}"
        return text, f"`restante domain check {self._domain.name}` tells the cause"

    async def _read_reply(self) -> None:
        """Note the reply and who asked, as the history has them. Raises StepFailed."""
        wanted = HistoryFilter(domain_ids=(self._domain.id,), number=self._notes.number)
        entries = await self._context.store.history.history(wanted)
        bad = [one for one in entries if one.outcome is not RecipientMove.DELIVERED]
        if bad:
            text = f"the message was {bad[0].outcome} meanwhile"
            raise StepFailed(DrillStep.HAND_OVER, text, "leave it alone, and drill again")
        self._notes.reply = next(
            (one.reply for one in entries if one.reply), "the account keeps no replies"
        )
        releases = tuple({one.release for one in entries if one.release})
        found = await self._context.store.releases.releases(ReleaseFilter(ids=releases))
        actors = [f"{one.record.actor}, {one.record.acted_from}" for one in found]
        self._notes.asked_by = "; ".join(actors) or "nobody on record"
        is_by_login = any(one.record.actor.startswith("login ") for one in found)
        if self._order.ask is DrillAsk.PRIMARY and not is_by_login:
            text = f"the message arrived, but {self._notes.asked_by} asked, and not the primary"
            raise StepFailed(DrillStep.HAND_OVER, text, "have the primary send ETRN")

    async def _find(self, **wanted: object) -> QueuedMessage | None:
        found = await list_held(
            self._context,
            QueueFilter(domain_ids=(self._domain.id,), limit=1, **wanted),  # type: ignore[arg-type]
        )
        return found[0] if found else None

    # The end

    async def _clean_up(self) -> None:
        """Remove the message if it did not leave. One that may come in yet is found later."""
        if self._notes.number:
            if not self._notes.seconds:
                await self._remove()
            await forget_beginning(self._context.store.retention, self._domain.id)
        else:
            await remove_leftover(self._context, self._domain)

    async def _remove(self) -> None:
        """Remove the message if it is still here."""
        numbers = [self._notes.number]
        reason = "the drill did not pass"
        recorded = entry_about_mail(
            self._context, AuditAction.MAIL_DELETED, self._domain.id, numbers, reason
        )
        if await self._context.store.queue.delete(numbers, recorded):
            announce(self._context, recorded)

    async def _record(self) -> None:
        notes, order = self._notes, self._order
        text = f"passed in {notes.seconds:.1f} s"
        if notes.failed is not None:
            text = f"failed at {_failure_text(notes.failed)}"
        text = f"{order.reason}; {text}" if order.reason else text
        if notes.failed is None:
            await note_arrived(self._context.store.retention, self._beginning)
        await record_drill(
            self._context,
            self._domain,
            seconds=None if notes.failed is not None else notes.seconds,
            failure="" if notes.failed is None else _failure_text(notes.failed),
            answer=notes.reply,
            reason=text[:_LONGEST_REASON],
        )

    def _note(self, step: DrillStep, text: str) -> None:
        """Note a step that is done, and the time since the one before."""
        now = self._clock()
        done = sum(one.seconds for one in self._notes.steps)
        seconds = round(max(now - self._began - done, 0.0), 3)
        self._notes.steps.append(DrillStepView(step=step, seconds=seconds, text=text))

    def _view(self) -> DrillView:
        notes, failed = self._notes, self._notes.failed
        return DrillView(
            domain=self._domain.name,
            server=self._context.network.hostname,
            at=moment(self._at),
            is_passed=failed is None,
            ask=self._order.ask,
            recipient=self._message.recipient,
            message=message_name(notes.number) if notes.number else "",
            message_id=self._message.message_id,
            destination=self._domain.destination.text,
            check=notes.check,
            tls=notes.entry.tls,
            certificate=notes.entry.certificate,
            asked_by=notes.asked_by,
            reply=notes.reply,
            seconds=0.0 if failed is not None else round(notes.seconds, 3),
            failed_step=None if failed is None else failed.step,
            failure="" if failed is None else failed.failure,
            remedy="" if failed is None else failed.remedy,
            steps=tuple(notes.steps),
        )
