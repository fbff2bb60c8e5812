"""The error of a value in the configuration. Pure."""

from pydantic_core import PydanticCustomError


def setting_error(cause: str, remedy: str, *, is_secret: bool = False) -> PydanticCustomError:
    """Return the error of a value, for a validator to raise.

    The reader of the file adds the place and the name of the setting, and the value unless it is
    secret.
    """
    context = {"cause": cause, "remedy": remedy, "is_secret": is_secret}
    return PydanticCustomError("restante", "{cause}", context)
