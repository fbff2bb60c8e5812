"""Recipients have left only if the newer history proves it: all others stay held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.queue.newer_history import (
    GONE,
    GoneRecipients,
    HistoryDoubt,
    MailFacts,
    PastOutcome,
    gone_recipients,
)
from restante.queue.recipient_status import RecipientMove

ANNA, BERT = "anna@alpha.example", "bert@alpha.example"
FACTS = MailFacts(7, 1_760_000_000.123456, 1200, "a@sender.example", "<1@sender.example>")
OTHERS = [
    FACTS._replace(received_at=FACTS.received_at + 1),
    FACTS._replace(octets=1201),
    FACTS._replace(reverse_path=""),
    FACTS._replace(message_id="<2@sender.example>"),
    FACTS._replace(number=8),
]


def told(
    path: str = ANNA,
    outcome: RecipientMove = RecipientMove.DELIVERED,
    facts: MailFacts = FACTS,
) -> PastOutcome:
    return PastOutcome(facts, path, outcome, FACTS.received_at + 60, "250 2.0.0 Ok")


def test_the_recipients_with_an_outcome_are_gone_and_the_others_are_not() -> None:
    found = gone_recipients(FACTS, [ANNA, BERT], [told(BERT), told("else@alpha.example")])
    assert found == GoneRecipients((told(BERT),))


@pytest.mark.parametrize("outcome", list(RecipientMove))
def test_a_recipient_that_was_refused_or_is_uncertain_is_not_gone(outcome: RecipientMove) -> None:
    found = gone_recipients(FACTS, [ANNA], [told(outcome=outcome)])
    assert (bool(found.gone), found.doubt) == (outcome in GONE, None)
    assert RecipientMove.UNCERTAIN not in GONE


@pytest.mark.parametrize("facts", OTHERS)
def test_the_history_of_another_message_proves_nothing(facts: MailFacts) -> None:
    """Also with the same Message-ID, which its sender has chosen, or the same name."""
    found = gone_recipients(FACTS, [ANNA], [told(facts=facts)])
    assert found == GoneRecipients((), HistoryDoubt.OTHER_FACTS)


def test_a_history_with_domains_only_proves_nothing_and_says_so() -> None:
    found = gone_recipients(FACTS, [ANNA], [told("@alpha.example")])
    assert found == GoneRecipients((), HistoryDoubt.OTHER_RECIPIENTS)


def test_an_export_rounds_times_to_microseconds() -> None:
    facts = FACTS._replace(received_at=FACTS.received_at + 0.0000009)
    assert gone_recipients(FACTS, [ANNA], [told(facts=facts)]).gone


@given(
    st.lists(st.sampled_from([ANNA, BERT, "carl@alpha.example"]), unique=True),
    st.lists(
        st.builds(
            told,
            st.sampled_from([ANNA, BERT, "@alpha.example"]),
            st.sampled_from(RecipientMove),
            st.sampled_from([FACTS, *OTHERS]),
        )
    ),
)
def test_nobody_is_gone_without_an_entry_of_its_own(
    paths: list[str], outcomes: list[PastOutcome]
) -> None:
    found = gone_recipients(FACTS, paths, outcomes)
    proven = {one.forward_path for one in outcomes if one.facts == FACTS and one.outcome in GONE}
    assert {one.forward_path for one in found.gone} == proven & set(paths)
