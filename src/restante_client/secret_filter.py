"""Keep passwords and tokens out of all that is printed.

A server may repeat a secret in a reply, plainly or encoded. The words that have it are replaced
before anything is printed. Letter case and blanks do not matter. Forms that are known: plain text,
as escaped octets of Latin-1, base64 at any place within other octets, hex, and percent-encoding.
"""

from __future__ import annotations

from typing import Any, Set  # Python 3.8 has no set[…] at run time

HIDDEN = "[not shown]"
_SHORTEST_CODE = 6  # characters of an encoded form: fewer occur by chance


class SecretFilter:
    """The secrets of a command, and texts without them."""

    def __init__(self) -> None:
        self._forms: Set[str] = set()

    def add(self, secret: str, user: str = "") -> None:
        """Take a secret; `user` is the login that it belongs to."""
        if not secret:
            return
        from urllib.parse import quote  # noqa: PLC0415  heavy

        from restante_client.client_failure import shown  # noqa: PLC0415
        from restante_client.prepared_text import prepared_text  # noqa: PLC0415

        for form in {secret, prepared_text(secret)}:
            latin = form.encode("latin-1", "replace").decode("utf-8", "backslashreplace")
            octets = form.encode("utf-8", "backslashreplace")
            codes = {octets.hex(), *_in_base64(octets), quote(octets, safe="")}
            if user:  # the response of AUTH PLAIN: its beginning tells it
                codes |= {code[:8] for code in _in_base64(f"\0{user}\0{form}".encode())[:1]}
            forms = {form, shown(form), latin}
            self._forms |= forms | {code for code in codes if len(code) >= _SHORTEST_CODE}
        self._forms = {_closed_up(form)[0] for form in self._forms} - {""}

    def is_in(self, text: str) -> bool:
        """Tell whether a text has a secret."""
        closed_up, _ = _closed_up(text)
        return any(form in closed_up for form in self._forms)

    def hide(self, text: str) -> str:
        """Return a text; words that have a part of a secret are replaced."""
        if not self.is_in(text):
            return text
        closed_up, places = _closed_up(text)
        hidden = set()
        for form in self._forms:
            start = closed_up.find(form)
            while start >= 0:
                hidden.update(places[start : start + len(form)])
                start = closed_up.find(form, start + 1)
        parts = []
        for start, end in _runs(text):
            is_hidden = not hidden.isdisjoint(range(start, end))
            parts.append(HIDDEN if is_hidden else text[start:end])
        return "".join(parts)

    def hide_all(self, value: Any) -> Any:
        """Return a value of JSON; its texts are treated by `hide`."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(name): self.hide_all(one) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.hide_all(one) for one in value]
        return value


def _in_base64(octets: bytes) -> list[str]:
    """Return base64 for the three places that octets can have in a group, without the rest."""
    from base64 import b64encode, urlsafe_b64encode  # noqa: PLC0415  heavy

    forms = []
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            code = encode(bytes(before) + octets).decode("ascii")
            # The first characters have bits of octets before it, the last of octets behind it.
            first = (0, 2, 3)[before]
            whole = (before + len(octets)) * 8 // 6
            forms.append(code[first:whole])
    return forms


def _closed_up(text: str) -> tuple[str, list[int]]:
    """Return the text in lower case without blanks, and the place of each character."""
    found = [
        (lower, place)
        for place, character in enumerate(text)
        if not character.isspace()
        for lower in character.lower()
    ]
    return "".join(lower for lower, _ in found), [place for _, place in found]


def _runs(text: str) -> list[tuple[int, int]]:
    """Return the words of a text, and the blanks between them, as spans."""
    spans: list[tuple[int, int]] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or text[place].isspace() != text[start].isspace():
            spans.append((start, place))
            start = place
    return spans
