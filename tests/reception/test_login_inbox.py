"""Events of AUTH leave the last use of each login."""

from restante.reception.login_inbox import LoginInbox, LoginUses
from restante.telemetry.authentication_result import AuthenticationResult
from restante.telemetry.events import AuthenticationEnded
from restante.tenancy.model import LoginUse


def ended(login: str, result: str, peer: str = "192.0.2.1") -> AuthenticationEnded:
    return AuthenticationEnded(
        peer=peer, login=login, mechanism="PLAIN", result=AuthenticationResult(result)
    )


def test_the_last_use_and_the_last_late_password_are_kept() -> None:
    times = iter((1.0, 2.0, 3.0))
    inbox = LoginInbox(lambda: next(times))
    inbox.hear(ended("anna", "accepted"))
    inbox.hear(ended("anna", "accepted", "192.0.2.2"))
    inbox.hear(ended("carl", "expired"))
    for login, result in (("anna", "refused"), ("", "accepted"), ("anna", "deferred")):
        inbox.hear(ended(login, result))
    taken = inbox.take()
    assert taken.uses == {"anna": LoginUse(2.0, "192.0.2.2", "PLAIN")}
    assert taken.expired == {"carl": LoginUse(3.0, "192.0.2.1", "PLAIN")}
    assert inbox.take() == LoginUses({}, {})


def test_a_use_put_back_yields_to_a_later_one() -> None:
    times = iter((1.0, 2.0, 3.0))
    inbox = LoginInbox(lambda: next(times))
    inbox.hear(ended("anna", "accepted"))
    inbox.hear(ended("carl", "accepted"))
    taken = inbox.take()
    inbox.hear(ended("anna", "accepted"))
    inbox.put_back(taken)
    assert {user: use.at for user, use in inbox.take().uses.items()} == {"anna": 3.0, "carl": 2.0}
