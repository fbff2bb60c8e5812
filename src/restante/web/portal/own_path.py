"""Paths of the portal to go on to, as a form or a link brings them back. Pure."""

import re
from typing import Final
from urllib.parse import urlencode

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
STEP_UP: Final = "/step-up"
KEEP: Final = f"{STEP_UP}/keep"
KEEP_STRANGERS: Final = f"{SIGN_IN}/keep"
REPEAT: Final = "/repeat"
_LONGEST: Final = 2000
# These pages only ask: a kept form goes to them, and to nothing that acts.
_QUESTION: Final = re.compile(
    r"/(?:queue/confirm|queue/refresh|messages/\w+/ask)(?:\?again=1)?|/repeat\?to=[\w./-]{1,400}",
    re.ASCII,
)
# Browsers read `//` and `/\` as the beginning of another host, and leave out tabs and line ends.
_OWN: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)


def own_path(text: str) -> str:
    """Return a path to go on to; that of the overview for a text that may lead elsewhere."""
    if len(text) > _LONGEST or not _OWN.fullmatch(text):
        return HOME
    is_loop = text.partition("?")[0] in (SIGN_IN, "/sign-out", STEP_UP)
    return HOME if is_loop else text


def sign_in_path(following: str) -> str:
    """Return the path of the sign-in, which goes on to another path then."""
    return _with_next(SIGN_IN, following)


def step_up_path(following: str) -> str:
    """Return the path where a factor is shown again, which goes on to another path then."""
    return _with_next(STEP_UP, following)


def question_path(text: str) -> str:
    """Return the path of a page that asks before an action; "" for any other text."""
    return text if _QUESTION.fullmatch(text) else ""


def keep_path(question: str, following: str, *, is_stranger: bool = False) -> str:
    """Return the path where a form is kept while a factor is shown. It then goes to a question.

    `following` is the page after a cancellation, or where the form cannot be brought back. Where
    the session is over, the form is kept until somebody signs in.
    """
    keep = KEEP_STRANGERS if is_stranger else KEEP
    return f"{keep}?{urlencode({'question': question, 'next': own_path(following)})}"


def repeat_path(action: str) -> str:
    """Return the path of the page that shows a form for an action again; "" if it has none."""
    return question_path(f"{REPEAT}?to={action}")


def _with_next(path: str, following: str) -> str:
    following = own_path(following)
    return path if following == HOME else f"{path}?{urlencode({'next': following})}"
