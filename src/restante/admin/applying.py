"""Apply a configuration: check all of it, then change the records that differ, some at once.

The steps of one stage do not depend on each other, so some run together: the store writes them in
one transaction. A step that fails stops no other. Changes that were made stay, and a second
application makes the others.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from itertools import groupby
from typing import Final

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext, RequestMemory
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_plan import SliceBreather, make_plan
from restante.admin.apply_steps import (
    AppliedKind,
    ApplyOptions,
    ApplyPlan,
    ApplyStep,
    ApplyVerb,
    PruneScope,
    groups_of,
)
from restante.admin.auditing import ChangeView, change_views, checked_reason
from restante.admin.configuration_entries import WantedRecords
from restante.admin.permissions import AdminAction, permit
from restante.shielded_task import shielded
from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord

AT_ONCE: Final = 25  # steps that run together
TURN_SECONDS: Final = 60.0  # that a second application waits for the first
UNNAMED: Final = "not named by the applied configuration"


class StepView(BaseModel):
    """A step that was done, or would be."""

    verb: ApplyVerb
    thing: AppliedKind
    name: str
    account: str
    changes: list[ChangeView]
    secret: str | None = None  # a password or key that was made for it, shown only here


class StepFailure(BaseModel):
    """A step that could not be done."""

    verb: ApplyVerb
    thing: str
    name: str
    account: str
    kind: ErrorKind
    error: str
    remedy: str


class ApplySummary(BaseModel):
    """The numbers of records. The last line of an answer: without it, the rest was not done."""

    is_dry_run: bool
    changed: bool  # whether something was, or would be
    added: int
    changed_records: int
    removed: int
    unchanged: int
    failed: int


class ApplyLine(BaseModel):
    """One line of the answer: exactly one of its fields is there."""

    step: StepView | None = None
    failure: StepFailure | None = None
    warning: str | None = None
    summary: ApplySummary | None = None


async def apply_configuration(
    context: AdminContext,
    lines: AsyncIterator[bytes],
    prune: PruneScope = PruneScope.NOTHING,
    *,
    is_dry_run: bool = False,
) -> AsyncGenerator[ApplyLine, None]:
    """Yield what is changed, once it is; at a dry run, what would be.

    `lines` are entries in JSON. Before the first line all of them are checked. Raises NotApplicable
    if something is wrong, AdminError if another application does not end in time, StoreError.
    """
    permit(context.principal, AdminAction.CONFIGURATION_APPLY)
    if prune is not PruneScope.NOTHING and not is_dry_run:
        checked_reason(context.reason)  # it may remove things
    options = ApplyOptions(prune, checked_reason(context.reason or UNNAMED))
    wanted, breather = WantedRecords(), SliceBreather()
    async for line in lines:
        wanted.add_line(line)
        await breather.breathe()
    await _await_turn(context.memory)
    run: _Run | None = None
    try:
        plan = await make_plan(context, wanted, options)
        for warning in plan.warnings:
            yield ApplyLine(warning=warning)
        run = _Run(context, plan, is_dry_run=is_dry_run)
        async for line_ in run.lines():
            yield line_
    finally:
        _end_turn(context.memory, run)


async def _await_turn(memory: RequestMemory) -> None:
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await memory.applying.acquire()
    except TimeoutError:
        error = "apply: another configuration is being applied"
        raise AdminError(ErrorKind.TRY_LATER, error, "try again when that has ended") from None


def _end_turn(memory: RequestMemory, run: "_Run | None") -> None:
    """Let the next application begin, after the steps that still run if the client has left."""
    running = run.running if run is not None else None
    if running is None or running.done():
        memory.applying.release()
    else:
        running.add_done_callback(lambda _: memory.applying.release())


class _Run:
    """One application of a plan."""

    def __init__(self, context: AdminContext, plan: ApplyPlan, *, is_dry_run: bool) -> None:
        self._context = context
        self._plan = plan
        self._is_dry_run = is_dry_run
        self._counts: Counter[ApplyVerb | str] = Counter()
        self._is_store_away = False
        self.running: asyncio.Future[list[ApplyLine]] | None = None

    async def lines(self) -> AsyncIterator[ApplyLine]:
        """Do the steps in their order, and yield their results and the summary."""
        for _, stage in groupby(self._plan.steps, key=lambda step: step.stage):
            for some in groups_of(AT_ONCE, stage):
                for line in await self._results(some):
                    yield line
        counts = self._counts
        done = {verb: counts[verb] for verb in ApplyVerb}
        yield ApplyLine(
            summary=ApplySummary(
                is_dry_run=self._is_dry_run,
                changed=any(done.values()),
                added=done[ApplyVerb.ADD],
                changed_records=done[ApplyVerb.CHANGE],
                removed=done[ApplyVerb.REMOVE],
                unchanged=self._plan.unchanged,
                failed=counts["failed"],
            )
        )

    async def _results(self, steps: Sequence[ApplyStep]) -> Iterable[ApplyLine]:
        """Do some steps. If the client leaves, those that have begun are finished."""
        if self._is_dry_run:
            return [self._foreseen(step) for step in steps]
        self.running = asyncio.gather(*(self._do(step) for step in steps))
        return await shielded(self.running)

    def _foreseen(self, step: ApplyStep) -> ApplyLine:
        return self._failed(step, step.obstacle) if step.obstacle else self._done(step, None)

    async def _do(self, step: ApplyStep) -> ApplyLine:
        if self._is_store_away:
            error = AdminError(ErrorKind.TRY_LATER, "not tried: the store failed", "apply it again")
            return self._failed(step, error)
        try:
            return self._done(step, await step.work())
        except AdminError as error:
            return self._failed(step, error)
        except StoreError as error:
            self._is_store_away = True
            if self._context.parts.log:
                self._context.parts.log.publish(StoreFailed(error=error, doing=WorkWord.APPLY))
            cause, _, remedy = str(error).partition("; ")
            later = AdminError(ErrorKind.TRY_LATER, f"store: {cause}", remedy or "apply it again")
            return self._failed(step, later)

    def _done(self, step: ApplyStep, secret: str | None) -> ApplyLine:
        self._counts[step.verb] += 1
        return ApplyLine(
            step=StepView(
                verb=step.verb,
                thing=step.thing,
                name=step.name,
                account=step.account,
                changes=change_views(step.changes),
                secret=secret,
            )
        )

    def _failed(self, step: ApplyStep, error: AdminError) -> ApplyLine:
        self._counts["failed"] += 1
        return ApplyLine(
            failure=StepFailure(
                verb=step.verb,
                thing=step.thing,
                name=step.name,
                account=step.account,
                kind=error.kind,
                error=error.error,
                remedy=error.remedy,
            )
        )
