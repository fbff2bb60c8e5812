"""The state of a portal user, for machines and for people."""

from restante.tenancy.portal_user_state import PortalUserState, SecondFactor


def test_people_read_the_state_and_the_factors() -> None:
    assert [state.text for state in PortalUserState] == ["active", "invited", "invitation expired"]
    assert [factor.text for factor in SecondFactor] == ["one-time code", "passkey"]
