"""Answers to requests in a store that forgets."""

from restante.store.answer_store import AnswerBounds, KeptAnswer
from restante.store.memory.memory_state import MemoryState


class MemoryAnswers:
    """An `AnswerStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def answer(self, actor: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to an actor's request with this key, if it is not older."""
        found = self._state.answers.get((actor, key))
        return found if found is not None and found.at >= since else None

    async def keep_answer(
        self, actor: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""
        answers = self._state.answers
        for old in [one for one, kept in answers.items() if kept.at < bounds.since]:
            del answers[old]
        answers.setdefault((actor, key), answer)
        own = [one for one in answers if one[0] == actor]
        for old in own[: max(0, len(own) - bounds.of_actor)]:
            del answers[old]
        for old in list(answers)[: max(0, len(answers) - bounds.number)]:
            del answers[old]
        octets = 0
        for one in reversed(list(answers)):
            octets += len(answers[one].body or b"")
            if octets > bounds.octets:
                del answers[one]
