"""Patterns of paths as regular expressions of PostgreSQL. Pure.

The steps are those of the standard library's `fnmatch`, so that a pattern means the same here as in
`mail/address`.
"""

from typing import Final

_SPECIAL: Final = frozenset("\\.^$|()[]{}*+?")


def regular_expression(pattern: str) -> str:
    """Return what `address.path_matches` means by a pattern, for the operator `~*`."""
    pattern = pattern.lower()
    found = []
    place = 0
    while place < len(pattern):
        one = pattern[place]
        place += 1
        end = _end_of_set(pattern, place) if one == "[" else -1
        if end >= 0:
            found.append(_set(pattern[place:end]))
            place = end + 1
        else:
            found.append({"*": ".*", "?": "."}.get(one, f"\\{one}" if one in _SPECIAL else one))
    return f"^(?:{''.join(found)})$"


def _end_of_set(pattern: str, begin: int) -> int:
    """Return where the bracket is that ends a set; -1 if none does. The first one may be a member.

    `begin` is where the members are.
    """
    first = begin + pattern.startswith("!", begin)
    return pattern.find("]", first + pattern.startswith("]", first))


def _set(text: str) -> str:
    is_negated = text.startswith("!")
    members = _members(text.removeprefix("!"))
    if not members:
        return "." if is_negated else "(?!)"
    return f"[{'^' if is_negated else ''}{members}]"


def _members(text: str) -> str:
    """Spell the members of a set by their numbers: so none has a special meaning."""
    chunks = _chunks(text)
    for place in range(len(chunks) - 1, 0, -1):
        before, after = chunks[place - 1 : place + 1]
        if before[-1] > after[0]:  # a range without members
            chunks[place - 1 : place + 1] = [before[:-1] + after[1:]]
    return "-".join("".join(f"\\U{ord(one):08x}" for one in chunk) for chunk in chunks)


def _chunks(text: str) -> list[str]:
    """Part a set at the hyphens that make ranges."""
    chunks = []
    begin, hyphen = 0, text.find("-", 1)
    while hyphen > 0:
        chunks.append(text[begin:hyphen])
        begin = hyphen + 1
        hyphen = text.find("-", hyphen + 3)
    rest = text[begin:]
    if rest or not chunks:
        return [*chunks, rest]
    chunks[-1] += "-"  # the last member
    return chunks
