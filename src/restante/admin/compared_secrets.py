"""The limit of secrets that requests have compared with stored ones.

A request can give a secret that is there already. Then the answer shows whether it is the same: a
repeated add says "no change", and a dry run shows no step.
"""

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind


def judge_secret(context: AdminContext, thing: str, *, is_same: bool) -> None:
    """Raise AdminError if too many wrong secrets were compared with that of a record.

    Call it before the answer shows whether the given secret is the stored one.
    """
    memory = context.memory
    if not memory.guesses.may_tell(thing, memory.monotonic(), is_right=is_same):
        error = f"{thing}: too many wrong secrets were compared with the stored one"
        raise AdminError(ErrorKind.TRY_LATER, error, "wait a quarter of an hour, then try again")
