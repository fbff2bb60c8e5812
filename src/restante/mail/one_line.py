"""A text as one line that can be shown, whatever a stranger put into it. Pure."""


def one_line(text: str) -> str:
    """Return a text whose line ends, control characters and marks of direction are escaped.

    So is half a pair of surrogates, which UTF-8 cannot express.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
