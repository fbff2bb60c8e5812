"""A refusal in one line: the thing and the cause, then the remedy."""

from restante.admin.admin_error import AdminError, ErrorKind, no_server


def test_an_error_is_one_line_with_its_remedy() -> None:
    error = AdminError(ErrorKind.NOT_FOUND, "domain a.example: is not hosted", "add it first")
    assert str(error) == "domain a.example: is not hosted; add it first"
    assert (error.kind, error.remedy) == (ErrorKind.NOT_FOUND, "add it first")


def test_without_a_server_the_action_is_named() -> None:
    error = no_server("drain stop")
    assert error.kind is ErrorKind.UNAVAILABLE
    assert str(error).startswith("drain stop: no server is running; start it")
