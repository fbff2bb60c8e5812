"""What a store says of messages that it cannot hand out."""


class DamageReport:
    """Keeps the numbers, in the order of being told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.texts: list[str] = []

    def __call__(self, number: int, text: str) -> None:
        self.numbers.append(number)
        self.texts.append(text)
