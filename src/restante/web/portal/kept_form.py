"""A form that was not carried out, as it waits while somebody signs in or shows a factor. Pure.

It waits in hidden fields of the page that asks for the factor. Then it comes back to its question
or to the page that shows it again, and is never carried out by itself. Secrets do not wait: they
are typed again.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from restante.web.portal.own_path import own_path, question_path
from restante.web.portal.portal_visit import FormValues

LONGEST_KEPT: Final = 40_000  # characters: the names of 1000 messages, in a body of 64 KiB
SECRETS: Final = frozenset({"code", "password", "present", "repeated"})  # fields of forms
_NOT_KEPT: Final = frozenset({"csrf"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The page to go on to, and the form that its question gets back; "" without a question."""

    following: str
    question: str = ""
    kept: str = ""


def kept_form(form: FormValues, following: str, question: str) -> KeptForm:
    """Return a form to keep. One that is too large is not kept: its page opens again."""
    question = question_path(question)
    pairs = [(name, "" if name in SECRETS else one) for name, one in form.pairs()]
    kept = urlencode([one for one in pairs if one[0] not in _NOT_KEPT])
    return _fitting(KeptForm(own_path(following), question, kept))


def brought_along(form: FormValues) -> KeptForm:
    """Return what a form of the sign-in or of the step-up brings along."""
    question = question_path(form.text("question"))
    return _fitting(KeptForm(own_path(form.text("next")), question, form.as_sent("kept")))


def _fitting(one: KeptForm) -> KeptForm:
    is_kept = one.question and len(one.kept) <= LONGEST_KEPT
    return one if is_kept else KeptForm(one.following)
