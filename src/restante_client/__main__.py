"""`python -m restante_client`, and the start of the zipapp.

An old Python cannot read the other modules. So they are imported once the version is known.
"""

import sys

OLDEST = (3, 8)


def start():  # type: () -> int  # noqa: ANN201  as old Pythons read it
    """Run the command line, and return its exit code."""
    if sys.version_info < OLDEST:
        own = "%d.%d" % tuple(sys.version_info[:2])  # noqa: UP031
        sys.stderr.write("restante-client: needs Python 3.8 or later, and this is " + own + "\n")
        return 69
    from restante_client.client_main import main  # noqa: PLC0415

    return main()


if __name__ == "__main__":
    sys.exit(start())
