"""Writes once a minute what authentications tell about logins, and sees to their ends.

A round writes the last uses in one change of the store. A login with the right password whose time
is over leaves an entry in the audit trail, at most once an hour. A password that a rotation
replaced is forgotten when its time is over. The account is told before a login expires.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.reception.login_inbox import LoginInbox
from restante.smtp.replies import BAD_CREDENTIALS
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import LoginExpiring
from restante.telemetry.work_word import WorkWord
from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import Login, LoginUse
from restante.tenancy.principal import THIS_SERVER, policy_rule
from restante.tenancy.record_change import changes_between

ROUND_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 3600.0  # between two entries about the same expired login
STEPS: Final = (1, 3, 7, 14)  # days before the end
_DAY: Final = 86400.0


def rotation_step_due(login: Login, now: float) -> int | None:
    """Return the smallest step that the end of a login is within, 0 if it is past, else None."""
    if login.valid_until is None:
        return None
    left = login.valid_until - now
    if left <= 0:
        return 0
    return next((days for days in STEPS if left <= days * _DAY), None)


class LoginKeeper:
    """The one task that does so."""

    def __init__(
        self,
        store: Store,
        directory: LiveDirectory,
        inbox: LoginInbox,
        log: Log,
        *,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._directory = directory
        self._inbox = inbox
        self._log = log
        self._clocks = clocks
        self._now = clocks.now
        self._monotonic = clocks.monotonic
        self._rounds = Rounds(log, WorkWord.KEEP_LOGINS, clocks.wait)
        self._told: dict[str, tuple[float | None, int]] = {}  # the end and the step, by user name
        self._recorded: dict[str, float] = {}  # monotonic: when an entry was made, by user name

    async def run(self) -> None:
        """Do rounds until cancelled."""
        await self._rounds.run_rounds(self._take_round)

    async def finish(self) -> None:
        """Write what came since the last round, once nobody can authenticate any more."""
        await self._rounds.run_once(self._write)

    async def _take_round(self) -> float:
        await self._write()
        self._tell_of_ends()
        await self._forget_prior_passwords()
        return ROUND_SECONDS

    async def _write(self) -> float:
        taken = self._inbox.take()
        try:
            if taken.uses:
                await self._store.records.record_login_uses(taken.uses)
            if entries := self._entries(taken.expired):
                await self._store.audit.record(entries)
        except StoreError:
            self._inbox.put_back(taken)
            raise
        self._recorded |= dict.fromkeys((entry.subject for entry in entries), self._monotonic())
        return ROUND_SECONDS

    def _entries(self, expired: Mapping[str, LoginUse]) -> list[AuditEntry]:
        since = self._monotonic() - QUIET_SECONDS
        self._recorded = {user: at for user, at in self._recorded.items() if at > since}
        logins = self._directory.now.logins
        return [
            AuditEntry(
                use.at,
                AuditAction.LOGIN_REFUSED,
                Actor(ActorKind.LOGIN, user).text,
                user,
                logins[user].account,
                acted_from=use.address,
                answer=str(BAD_CREDENTIALS),
                reason=f"the password is right, but {_ended(logins[user])}",
            )
            for user, use in expired.items()
            if user in logins and user not in self._recorded
        ]

    def _tell_of_ends(self) -> None:
        """Report each step once for each end of a login."""
        now = self._now()
        due = {
            login.user: (login.valid_until, step)
            for login in self._directory.now.logins.values()
            if (step := rotation_step_due(login, now)) is not None
        }
        for user, (ends, step) in due.items():
            if self._told.get(user) != (ends, step):
                account = self._directory.now.logins[user].account
                event = LoginExpiring(
                    login=user, account=account, days=step, ends=_moment_text(ends or 0.0)
                )
                self._log.publish(event)
        self._told = due

    async def _forget_prior_passwords(self) -> None:
        now, ages = self._now(), self._clocks.age_now()
        ended = [
            (login, login.prior)
            for login in self._directory.now.logins.values()
            if login.prior is not None and login.prior_at(ages) is None
        ]
        rule = policy_rule("rotation")
        for login, prior in ended:
            entry = AuditEntry(
                now,
                AuditAction.LOGIN_CHANGED,
                rule.name,
                login.user,
                login.account,
                acted_from=THIS_SERVER,
                reason="the time of the old password is over",
                changes=changes_between(prior, None),
            )
            await self._store.records.forget_prior_password(login.user, prior.valid_until, entry)
        if ended:
            await self._directory.refresh()


def _ended(login: Login) -> str:
    if login.valid_until is None:
        return "the login had expired"
    return f"the login expired at {_moment_text(login.valid_until)}"


def _moment_text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
