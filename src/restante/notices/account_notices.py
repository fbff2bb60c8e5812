"""Notices about the logins of an account, and changes of its domains."""

from collections.abc import Iterator
from typing import Final

from restante.mail.quantity import counted
from restante.notices.notice_making import PairedRule, make_notice, paired
from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.telemetry.events import (
    AuthenticationBurst,
    ChangeEnded,
    ChangeScheduled,
    LoginExpiring,
    TurnaroundFromNewPlace,
    TurnaroundRightGiven,
)
from restante.tenancy.notice import NoticeFacts, NoticeKind


def _authentication_burst(event: AuthenticationBurst, at: float) -> Iterator[NoticeFacts]:
    thing = f"account {event.account}" if event.login is None else f"login {event.login}"
    text = (
        f"{event.failures} attempts to authenticate failed for {thing} within {event.minutes}"
        " minutes."
    )
    yield make_notice(
        NoticeKind.AUTHENTICATION_BURST,
        event.account,
        at,
        thing,
        text,
        **({} if event.login is None else {"login": event.login}),
        failures=event.failures,
        minutes=event.minutes,
        peer=event.peer,
    )


def _login_expiring(event: LoginExpiring, at: float) -> Iterator[NoticeFacts]:
    login, days, ends = event.login, event.days, event.ends
    text = (
        f"The login {login} {EXPIRES} {counted(days, 'day')}, at {ends}."
        if days
        else f"The login {login} {HAS_EXPIRED}, at {ends}."
    )
    about = f"{login}, {ends}, {counted(days, 'day')}"
    yield make_notice(
        NoticeKind.LOGIN_EXPIRING,
        event.account,
        at,
        about,
        text,
        login=event.login,
        days=event.days,
        ends=event.ends,
    )


def _turnaround_from_new_place(event: TurnaroundFromNewPlace, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"The login {event.login} took held mail over its own connection, from {event.peer}. It"
        f" never did so from {event.block} before. If that was not your server, change the"
        " password of the login."
    )
    yield make_notice(
        NoticeKind.TURNAROUND_FROM_NEW_PLACE,
        event.account,
        at,
        f"{event.login}, {event.block}",
        text,
        login=event.login,
        peer=event.peer,
        block=event.block,
    )


def _turnaround_right_given(event: TurnaroundRightGiven, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"{event.actor} changed the login {event.login}: {', '.join(event.changes)}. Its holder may"
        f" take held mail over its own connection from {event.begins} on, unless somebody takes"
        " that right away."
    )
    yield make_notice(
        NoticeKind.TURNAROUND_RIGHT_GIVEN,
        event.account,
        at,
        f"{event.login}, {event.begins}",
        text,
        login=event.login,
        actor=event.actor,
        acted_from=event.acted_from,
        begins=event.begins,
        changes=", ".join(event.changes),
    )


def _change_scheduled(event: ChangeScheduled, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"{event.actor} asked for a change of {event.domain}: {', '.join(event.changes)}. It is"
        f" applied at {event.ends}, unless somebody cancels it as change {event.number}."
    )
    yield make_notice(
        NoticeKind.CHANGE_SCHEDULED,
        event.account,
        at,
        f"{event.domain}, change {event.number}",
        text,
        domain=event.domain,
        number=event.number,
        actor=event.actor,
        acted_from=event.acted_from,
        ends=event.ends,
        changes=", ".join(event.changes),
    )


def _change_ended(event: ChangeEnded, at: float) -> Iterator[NoticeFacts]:
    why = f" {event.reason}" if event.reason else ""
    text = (
        f"A change of {event.domain} was {event.end}: {', '.join(event.changes)}."
        f" It was asked for by {event.actor}.{why}"
    )
    yield make_notice(
        NoticeKind.CHANGE_ENDED,
        event.account,
        at,
        f"{event.domain}, change {event.number}",
        text,
        domain=event.domain,
        number=event.number,
        actor=event.actor,
        end=event.end,
        reason=event.reason,
        changes=", ".join(event.changes),
    )


ACCOUNT_RULES: Final[tuple[PairedRule, ...]] = (
    paired(AuthenticationBurst, _authentication_burst),
    paired(LoginExpiring, _login_expiring),
    paired(TurnaroundFromNewPlace, _turnaround_from_new_place),
    paired(TurnaroundRightGiven, _turnaround_right_given),
    paired(ChangeScheduled, _change_scheduled),
    paired(ChangeEnded, _change_ended),
)
