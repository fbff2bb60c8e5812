"""A store's reports of messages that it cannot hand out."""


class DamageReport:
    """Keeps the numbers, in the order of being told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.texts: list[str] = []
        self.domain_ids: list[int] = []

    def __call__(self, number: int, text: str, domain_id: int) -> None:
        self.numbers.append(number)
        self.texts.append(text)
        self.domain_ids.append(domain_id)
