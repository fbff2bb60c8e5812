"""The words for a version of Restante that a store needs. Pure."""

from restante import __version__
from restante.mail.one_line import one_line


def newer_program(version: str) -> str:
    """Return the program to install, where `version` has upgraded a store; "" is not known."""
    version = one_line(version)  # of a file that may be anybody's
    if not version:
        return "the version of Restante that upgraded it, or a later one"
    if version == __version__:  # both are checkouts
        return f"a later state of Restante {version}"
    return f"Restante {version}, which upgraded it, or a later one"
