"""A sender's requests for reports in exported mail: only values of a valid command."""

import pytest

from restante.admin.dsn_facts import DsnFacts, RecipientFacts, dsn_facts, dsn_request
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret

ANNA = "anna@alpha.example"


@pytest.mark.parametrize(
    "request_",
    [
        None,
        DsnRequest(Ret.FULL),
        DsnRequest(Ret.HDRS, "id+2B7"),
        DsnRequest(recipients={ANNA: RecipientRequest(Notify.FAILURE | Notify.DELAY, "")}),
        DsnRequest(recipients={ANNA: RecipientRequest(None, "rfc822;a+2Bb@c.example")}),
    ],
)
def test_a_request_comes_back_as_it_was(request_: DsnRequest | None) -> None:
    assert dsn_request(dsn_facts(request_)) == request_


@pytest.mark.parametrize(
    "facts",
    [
        DsnFacts(ret="ALL"),
        DsnFacts(envid="a b"),
        DsnFacts(envid="é"),
        DsnFacts(recipients={ANNA: RecipientFacts(notify="SOMETIMES")}),
        DsnFacts(recipients={ANNA: RecipientFacts(notify="NEVER,DELAY")}),
        DsnFacts(recipients={ANNA: RecipientFacts(orcpt="no type")}),
        DsnFacts(recipients={ANNA: RecipientFacts(orcpt="rfc822;a\r\nRCPT TO:<x>")}),
    ],
)
def test_a_value_that_no_command_can_express_is_refused(facts: DsnFacts) -> None:
    with pytest.raises(ValueError, match="RFC 3461"):
        dsn_request(facts)


def test_a_recipient_of_whom_nothing_is_said_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=f"nothing is said of <{ANNA}>"):
        dsn_request(DsnFacts(recipients={ANNA: RecipientFacts()}))
