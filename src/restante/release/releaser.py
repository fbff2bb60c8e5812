"""The one entry point to held mail: every release request is authorized and audited here.

Theory of operation. The facts are fetched: the directory and the addresses of host names. The
decision is pure (authorization.py). Then drains are started while the audit entry is written, and
the reply follows. The answer is the same for a domain that is unknown, another account's, or
requested from the wrong host. Only the audit trail knows the cause. A drain delivers to the
destination on record; no part of the request reaches it.

Right and wrong requests are counted apart (release_allowance.py), once the decision is made. Only
one fact costs much, the addresses of host names. If no wrong requests are left, the last known
addresses decide: otherwise a client could cause any number of look-ups.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.mail.address import canonical_domain
from restante.mail.message import message_name
from restante.phrases import BY_ATRN_ONLY, NOTHING_WAITS, cause_of
from restante.queue.drain_word import DrainWay
from restante.release.atrn import atrn_reply
from restante.release.authorization import (
    NOT_AUTHENTICATED,
    HostAddresses,
    ReleaseAuthorization,
    authorize,
)
from restante.release.authorized_host_lookup import HostNames
from restante.release.etrn import etrn_reply
from restante.release.release_allowance import ReleaseAllowance
from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    NotAuthenticated,
    NothingHeld,
    Refused,
    ReleaseOutcome,
    is_confirmed,
    pending_messages,
    result_of,
)
from restante.release.release_request import ReleaseRequest, Requester
from restante.release.turn_answer import GrantedTurnaround, TurnAnswer, TurnaroundStarter
from restante.release.turn_authorization import authorize_turn, parse_turn_targets
from restante.shielded_task import shielded
from restante.smtp.replies import Reply
from restante.store.figure_store import FigureStore
from restante.store.live_directory import LiveDirectory
from restante.store.release_store import ReleaseRecord, ReleaseStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ReleaseRequested, StoreFailed, TurnaroundGranted
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.etrn_target import EtrnTarget, parse_etrn_target
from restante.tenancy.model import Account, Directory, HostedDomain

STARTS_AT_ONCE: Final = 25  # drains
TARGET_SHOWN: Final = 300  # characters of the argument that the store and the log get
_TOO_MANY: Final = "too many requests in a minute; not audited"
_POSITIVE: Final = (
    250  # of an account whose client stops at the first 251 (fetchmail with several domains)
)


class DrainStarter(TurnaroundStarter, Protocol):
    """Starts drains (delivery/dispatcher.py)."""

    async def start(
        self,
        domain: HostedDomain,
        requested_by: str,
        release: int,
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> object:
        """Start a drain for a release, or join the open one. Raises CannotStart or StoreError."""


@dataclass(frozen=True, slots=True)
class _RequestForm:
    """How a request is answered and recorded."""

    reply: Callable[[ReleaseOutcome], Reply]
    action: AuditAction
    way: DrainWay


_ETRN: Final = _RequestForm(etrn_reply, AuditAction.RELEASE_REQUESTED, DrainWay.DESTINATION)
_NAMED: Final = _RequestForm(etrn_reply, AuditAction.RELEASE_REQUESTED, DrainWay.MESSAGES)
_ATRN: Final = _RequestForm(atrn_reply, AuditAction.TURNAROUND_REQUESTED, DrainWay.TURNAROUND)


class Releaser:
    """Answers release requests."""

    def __init__(
        self,
        *,
        figures: FigureStore,
        releases: ReleaseStore,
        directory: LiveDirectory,
        drains: DrainStarter,
        host_names: HostNames,
        log: Log,
        now: Callable[[], float],
        allowance: ReleaseAllowance,
    ) -> None:
        """`now` is Unix time."""
        self._figures = figures
        self._releases = releases
        self._directory = directory
        self._drains = drains
        self._host_names = host_names
        self._log = log
        self._now = now
        self._allowance = allowance
        self._starting: set[asyncio.Task[ReleaseOutcome]] = set()

    async def release(self, request: ReleaseRequest) -> ReleaseOutcome:
        """Decide, start the drains, record, and return the outcome (RFC 1985 §5).

        Nothing that a peer does makes it raise.
        """
        requester, directory, at = request.requester, self._directory.now, self._now()
        request = replace(request, id=self._releases.next_id(at), at=at)
        try:
            target = parse_etrn_target(request.argument)
        except ValueError:
            return await self._refuse(request, NotATarget(is_missing=not request.argument))
        if requester.login is None and not requester.is_operator:
            return await self._refuse(request, NotAuthenticated(NOT_AUTHENTICATED))
        may_be_right = _may_be_right(requester, target, directory)
        if not self._allowance.has_left(requester, is_right=may_be_right):
            return self._defer(request, is_right=may_be_right)
        names = _host_names_needed(requester, target.covers, directory)
        authorization = authorize(
            requester, target, directory, await self._host_addresses(requester, names), self._now()
        )
        is_right = authorization.is_granted or bool(authorization.suspended)
        if not self._allowance.take(requester, is_right=is_right):
            return self._defer(request, is_right=is_right)
        return await self._act(request, target, authorization, directory)

    async def release_messages(self, request: ReleaseRequest) -> ReleaseOutcome:
        """Hand over single messages of the request's domain; its argument has their names.

        The request is on record before its drain is: there the drain finds the names. Nothing is
        looked up, since no host asks. Never raises.
        """
        requester, at = request.requester, self._now()
        request = replace(request, id=self._releases.next_id(at), at=at)
        if not self._allowance.take(requester, is_right=True):
            return self._defer(request, is_right=True)
        directory, target = self._directory.now, parse_etrn_target(request.domain)
        authorization = authorize(requester, target, directory, {}, at)
        account, reason = _account(requester, authorization), authorization.reason
        outcome: ReleaseOutcome
        if not authorization.is_granted:
            outcome = Refused(request.argument, reason)
            if authorization.suspended:
                suspensions = authorization.suspensions
                outcome = CannotNow(request.argument, reason, suspensions=suspensions)
            return await self._conclude(request, account, outcome, _NAMED)
        [domain] = authorization.domains
        if not domain.destination.is_reachable:
            outcome = CannotNow(request.argument, BY_ATRN_ONLY, is_by_atrn_only=True)
            return await self._conclude(request, account, outcome, _NAMED)
        granted = Granted(request.argument, len(request.argument.split()), reason)
        starting = asyncio.create_task(self._start_named(request, domain, granted))
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        return await shielded(starting)

    async def _start_named(
        self, request: ReleaseRequest, domain: HostedDomain, granted: Granted
    ) -> ReleaseOutcome:
        outcome = await self._conclude(request, domain.account, granted, _NAMED)
        if not isinstance(outcome, Granted):
            return outcome
        try:
            by = request.requester.actor.text
            await self._drains.start(domain, by, request.id, way=DrainWay.MESSAGES)
        except (CannotStart, StoreError) as error:
            failed = CannotNow(granted.target, f"no drain could start: {cause_of(error)}")
            return await self._conclude(request, domain.account, failed, _NAMED)
        return outcome

    async def turn(self, request: ReleaseRequest) -> TurnAnswer:
        """Decide about a turnaround, take the leases, record, and return the answer (RFC 2645).

        On return the entry in the trail is written. Nothing that a peer does makes it raise.
        """
        requester, directory, at = request.requester, self._directory.now, self._now()
        request = replace(request, id=self._releases.next_id(at), at=at)
        try:
            targets = parse_turn_targets(request.argument)
        except ValueError:
            return await self._end_turn(request, NotATarget(is_missing=False))
        if requester.login is None:
            return await self._end_turn(request, NotAuthenticated(NOT_AUTHENTICATED))
        if not targets:  # all of the account's domains: a record names them so
            request = replace(request, argument=f"#{requester.login.account}")

        def covers(domain: HostedDomain) -> bool:
            return not targets or any(target.covers(domain) for target in targets)

        may_be_right = any(map(covers, directory.domains_of(requester.account)))
        if not self._allowance.has_left(requester, is_right=may_be_right):
            return self._defer_turn(request)
        names = _host_names_needed(requester, covers, directory)
        addresses = await self._host_addresses(requester, names)
        present = self._directory.now  # the look-up took time, and records may have changed
        authorization = authorize_turn(requester, targets, present, addresses, self._now())
        is_right = authorization.is_granted or bool(authorization.suspended)
        if not self._allowance.take(requester, is_right=is_right):
            return self._defer_turn(request)
        return await self._turn(request, authorization)

    async def _turn(
        self, request: ReleaseRequest, authorization: ReleaseAuthorization
    ) -> TurnAnswer:
        target, reason = request.argument[:TARGET_SHOWN], authorization.reason
        if not authorization.is_granted:
            if not authorization.suspended:
                return await self._end_turn(request, Refused(target, reason))
            suspensions = authorization.suspensions
            return await self._end_turn(request, CannotNow(target, reason, suspensions=suspensions))
        try:
            await self._figures.catch_up([domain.id for domain in authorization.covered])
            usages = [(one, self._figures.usage(one.id).held) for one in authorization.domains]
            waiting = [domain for domain, held in usages if held]
            if not waiting:
                return await self._end_turn(request, self._without_mail(target, authorization))
            turnaround = await self._start_turn(request, waiting)
        except TurnaroundBusy as busy:
            return await self._end_turn(request, Refused(target, str(busy)))
        except (CannotStart, StoreError) as error:
            failed = CannotNow(target, f"no turnaround could start: {cause_of(error)}")
            return await self._end_turn(request, failed)
        granted = Granted(target, sum(held for _, held in usages), reason)
        return await self._grant_turn(request, granted, turnaround)

    def _without_mail(self, target: str, authorization: ReleaseAuthorization) -> ReleaseOutcome:
        """Return the outcome if no mail may be taken. It must not deny mail that waits."""

        def holds(domains: Sequence[HostedDomain]) -> list[HostedDomain]:
            return [one for one in domains if self._figures.usage(one.id).held]

        reason = f"{authorization.reason}; {NOTHING_WAITS}"
        if holds(authorization.suspended):
            suspensions = authorization.suspensions
            return CannotNow(target, f"{reason} in the others", suspensions=suspensions)
        if holds(authorization.not_from_here):
            return Refused(target, f"{reason} in the others")
        return NothingHeld(target, reason)

    async def _start_turn(
        self, request: ReleaseRequest, waiting: Sequence[HostedDomain]
    ) -> GrantedTurnaround:
        login, address = request.requester.login, request.requester.address
        assert login is not None
        assert address is not None
        return await self._drains.turn(waiting, login, address, request.id)

    async def _grant_turn(
        self, request: ReleaseRequest, granted: Granted, turnaround: GrantedTurnaround
    ) -> TurnAnswer:
        """Record the grant before the reply. One that is not recorded is called off."""
        outcome: ReleaseOutcome = granted
        try:
            outcome = await self._conclude(request, request.requester.account, granted, _ATRN)
        finally:
            if not isinstance(outcome, Granted) or not outcome.release:
                turnaround.call_off("the request could not be recorded")
        if not isinstance(outcome, Granted):
            return TurnAnswer(outcome)
        login, address = request.requester.login, request.requester.address
        assert login is not None
        self._log.publish(
            TurnaroundGranted(
                account=login.account,
                login=login.user,
                peer=str(address),
                messages=granted.pending,
                release=message_name(outcome.release),
            )
        )
        return TurnAnswer(outcome, turnaround)

    async def _end_turn(self, request: ReleaseRequest, outcome: ReleaseOutcome) -> TurnAnswer:
        """Record a request that gets no turnaround."""
        if isinstance(outcome, NotATarget | NotAuthenticated) and not self._allowance.take(
            request.requester, is_right=False
        ):
            return self._defer_turn(request)
        account = request.requester.account
        return TurnAnswer(await self._conclude(request, account, outcome, _ATRN))

    def _defer_turn(self, request: ReleaseRequest) -> TurnAnswer:
        outcome = Refused(request.argument[:TARGET_SHOWN], _TOO_MANY)
        self._log_release(request, request.requester.account, outcome, _ATRN)
        return TurnAnswer(outcome)

    async def _host_addresses(self, requester: Requester, names: Collection[str]) -> HostAddresses:
        if not names:
            return {}
        if not self._allowance.has_left(requester, is_right=False):
            return self._host_names.known()
        return await self._host_names.addresses(names)

    async def _refuse(
        self, request: ReleaseRequest, outcome: NotATarget | NotAuthenticated
    ) -> ReleaseOutcome:
        """Answer a request that needs no facts."""
        if not self._allowance.take(request.requester, is_right=False):
            return self._defer(request, is_right=False)
        return await self._conclude(request, request.requester.account, outcome)

    async def _act(
        self,
        request: ReleaseRequest,
        target: EtrnTarget,
        authorization: ReleaseAuthorization,
        directory: Directory,
    ) -> ReleaseOutcome:
        account = _account(request.requester, authorization)
        if not authorization.is_granted:
            outcome: CannotNow | Refused = Refused(target.text, authorization.reason)
            if authorization.suspended:
                outcome = CannotNow(
                    target.text, authorization.reason, suspensions=authorization.suspensions
                )
            return await self._conclude(request, account, outcome)
        try:
            await self._figures.catch_up([domain.id for domain in authorization.domains])
        except StoreError as error:
            failed = CannotNow(target.text, f"the figures cannot be read: {cause_of(error)}")
            return await self._conclude(request, account, failed)
        by_atrn = [one for one in authorization.domains if not one.destination.is_reachable]
        held = [one for one in authorization.domains if self._figures.usage(one.id).held]
        waiting = [one for one in held if one.destination.is_reachable]
        if not waiting and (held or len(by_atrn) == len(authorization.domains)):
            never = CannotNow(target.text, BY_ATRN_ONLY, is_by_atrn_only=True)
            return await self._conclude(request, account, never)
        if waiting:
            started = Granted(
                target.text,
                sum(self._figures.usage(domain.id).held for domain in waiting),
                authorization.reason,
                suspensions=authorization.suspensions,
            )
            return await self._start(request, account, waiting, started)
        nothing = _nothing_held(target, authorization, directory.accounts.get(account))
        return await self._conclude(request, account, nothing)

    async def _start(
        self,
        request: ReleaseRequest,
        account: str,
        waiting: Sequence[HostedDomain],
        started: Granted,
    ) -> ReleaseOutcome:
        """Start the drains, also if the client leaves meanwhile: it may have thousands."""
        starting = asyncio.create_task(self._start_and_record(request, account, waiting, started))
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        return await shielded(starting)

    async def _start_and_record(
        self,
        request: ReleaseRequest,
        account: str,
        waiting: Sequence[HostedDomain],
        started: Granted,
    ) -> ReleaseOutcome:
        # The entry is written while the drains are: one sync for all of it.
        failures, conclusion = await asyncio.gather(
            self._start_drains(waiting, request),
            self._conclude(request, account, started),
        )
        if len(failures) < len(waiting):
            return conclusion
        failed = CannotNow(started.target, f"no drain could start: {failures[0]}")
        return await self._conclude(request, account, failed)

    async def _start_drains(
        self, domains: Sequence[HostedDomain], request: ReleaseRequest
    ) -> list[str]:
        """Start all drains, a few at a time; return why some could not start.

        The number at once is limited: an account may have ten thousand domains, and the event loop
        also takes mail.
        """
        failures: list[str] = []
        for first in range(0, len(domains), STARTS_AT_ONCE):
            starts = [
                self._drains.start(domain, request.requester.actor.text, request.id)
                for domain in domains[first : first + STARTS_AT_ONCE]
            ]
            for outcome in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(outcome, CannotStart | StoreError):
                    failures.append(cause_of(outcome))
                elif isinstance(outcome, BaseException):
                    raise outcome
        return failures

    async def _conclude(
        self,
        request: ReleaseRequest,
        account: str,
        outcome: ReleaseOutcome,
        form: _RequestForm = _ETRN,
    ) -> ReleaseOutcome:
        """Record the request, and write the log line. An unrecorded release is not confirmed."""
        release = replace(_record(request, account, outcome), way=form.way)
        try:
            await self._releases.record_release(
                release, _audit_entry(release, str(form.reply(outcome)), form.action, self._now())
            )
        except StoreError as error:
            self._log.publish(StoreFailed(error=error, doing=WorkWord.AUDIT))
            outcome = _unrecorded(outcome, release.target, str(error))
        else:
            outcome = replace(outcome, release=release.id)
        self._log_release(request, account, outcome, form)
        return outcome

    def _defer(self, request: ReleaseRequest, *, is_right: bool) -> ReleaseOutcome:
        """Answer a request over the limit. Only the log has it: a flood must not fill the audit."""
        seconds = self._allowance.seconds_left(request.requester, is_right=is_right)
        outcome = CannotNow(request.argument[:TARGET_SHOWN], _TOO_MANY, seconds=seconds)
        self._log_release(request, request.requester.account, outcome, _ETRN)
        return outcome

    def _log_release(
        self, request: ReleaseRequest, account: str, outcome: ReleaseOutcome, form: _RequestForm
    ) -> None:
        self._log.publish(
            ReleaseRequested(
                actor=request.requester.actor.text,
                acted_from=request.requester.acted_from,
                target=request.argument[:TARGET_SHOWN],
                account=account,
                answer=str(form.reply(outcome)),
                result=result_of(outcome),
                reason=_full_reason(request, outcome),
                release=message_name(outcome.release) if outcome.release else None,
            )
        )


def _nothing_held(
    target: EtrnTarget, authorization: ReleaseAuthorization, account: Account | None
) -> NothingHeld:
    return NothingHeld(
        target.text,
        f"{authorization.reason}; {NOTHING_WAITS}",
        is_positive_wanted=account is not None and account.empty_reply == _POSITIVE,
        suspensions=authorization.suspensions,
    )


def _record(request: ReleaseRequest, account: str, outcome: ReleaseOutcome) -> ReleaseRecord:
    return ReleaseRecord(
        id=request.id,
        at=request.at,
        actor=request.requester.actor.text,
        acted_from=request.requester.acted_from,
        target=request.argument[:TARGET_SHOWN],
        account=account,
        domain=request.domain or _domain_named(request.argument),
        result=result_of(outcome),
        reason=_full_reason(request, outcome),
        pending=pending_messages(outcome),
    )


def _audit_entry(release: ReleaseRecord, answer: str, action: AuditAction, at: float) -> AuditEntry:
    return AuditEntry(
        at=at,
        action=action,
        actor=release.actor,
        subject=release.target,
        account=release.account,
        acted_from=release.acted_from,
        answer=answer,
        reason=release.reason,
        domain=release.domain,
        result=release.result,
    )


def _full_reason(request: ReleaseRequest, outcome: ReleaseOutcome) -> str:
    return f"{request.note}; {outcome.reason}" if request.note else outcome.reason


def _unrecorded(outcome: ReleaseOutcome, target: str, error: str) -> ReleaseOutcome:
    """Return the outcome if the audit entry cannot be written: nothing is confirmed then."""
    reason = f"{outcome.reason}; not recorded: {error}"
    if is_confirmed(outcome):
        return CannotNow(target, reason, pending_messages(outcome))
    return replace(outcome, reason=reason)


def _domain_named(argument: str) -> str:
    """Return the domain of `domain` or `@domain`; "" for other text, which names no domain."""
    try:
        return canonical_domain(argument.removeprefix("@"))
    except ValueError:
        return ""


def _may_be_right(requester: Requester, target: EtrnTarget, directory: Directory) -> bool:
    """Return whether the target covers a domain of the client's account. The host may be wrong."""
    return any(map(target.covers, directory.domains_of(requester.account)))


def _host_names_needed(
    requester: Requester, covers: Callable[[HostedDomain], bool], directory: Directory
) -> set[str]:
    """Name the hosts that must be looked up; none if a recorded address or network decides."""
    if requester.login is None or requester.address is None:
        return set()
    address, account = requester.address, requester.login.account
    return {
        name
        for domain in directory.domains_of(account)
        if covers(domain)
        and not any(address in network for network in domain.authorized_hosts.networks)
        for name in domain.authorized_hosts.names
    }


def _account(requester: Requester, authorization: ReleaseAuthorization) -> str:
    """Return whose request it is; "" if the domains are of several accounts."""
    if requester.account:
        return requester.account
    accounts = {domain.account for domain in authorization.domains or authorization.suspended}
    return accounts.pop() if len(accounts) == 1 else ""
