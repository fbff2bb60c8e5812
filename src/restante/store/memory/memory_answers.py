"""Answers to requests in a store that forgets."""

from collections import Counter
from collections.abc import Callable, Mapping

from restante.store.answer_store import AnswerBounds, KeptAnswer, account_of_key_owner
from restante.store.memory.memory_state import MemoryState


class MemoryAnswers:
    """An `AnswerStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def answer(self, key_owner: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to the owner's request with this key, if it is not older."""
        found = self._state.answers.get((key_owner, key))
        return found if found is not None and found.at >= since else None

    async def keep_answer(
        self, key_owner: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""
        answers = self._state.answers
        for old in [one for one, kept in answers.items() if kept.at < bounds.since]:
            del answers[old]
        answers.setdefault((key_owner, key), answer)
        own = [one for one in answers if one[0] == key_owner]
        for old in own[: max(0, len(own) - bounds.of_owner)]:
            del answers[old]
        for old in _by_share(answers, lambda _: 1)[bounds.number :]:
            del answers[old]
        octets = 0
        for one in _by_share(answers, lambda kept: len(kept.body or b"")):
            octets += len(answers[one].body or b"")
            if octets > bounds.octets:
                del answers[one]


def _by_share(
    answers: Mapping[tuple[str, str], KeptAnswer], size: Callable[[KeptAnswer], int]
) -> list[tuple[str, str]]:
    """Return the keys, those first that are in the smallest shares of their accounts; newest first.

    An answer is in the share of its account that it makes with the account's newer ones.
    """
    shares: Counter[str] = Counter()
    order: list[tuple[int, int, tuple[str, str]]] = []
    for age, one in enumerate(reversed(list(answers))):
        account = account_of_key_owner(one[0])
        shares[account] += size(answers[one])
        order.append((shares[account], age, one))
    return [one for _, _, one in sorted(order)]
