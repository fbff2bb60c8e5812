"""Commands that stock Postfix accepts from strangers are accepted: a refusal means a bounce."""

import pytest

from restante.mail.address import Mailbox
from restante.smtp.commands import Auth, Etrn, Hello, Mail, Noop, Rcpt, Reset, parse_command
from restante.smtp.protocol_errors import CommandRefused
from tests.smtp.conversation import Conversation

A = Mailbox("a", "s.example")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("EHLO FE80::1", "FE80::1"),
        ("EHLO c.example ", "c.example"),
        ("EHLO c.example\t", "c.example"),
        ("EHLO\tc.example", "c.example"),
        ("EHLO  c.example", "c.example"),
        (" EHLO c.example", "c.example"),
        ("\tehlo c.example", "c.example"),
        ("EHLO two words", "two words"),
        ("EHLO a@b", "a@b"),
        ("EHLO (x)", "(x)"),
        ("EHLO <x>", "<x>"),
        ('EHLO "x\\y"', '"x\\y"'),
        ("EHLO a,b;c", "a,b;c"),
        ("EHLO [x y]", "[x y]"),
        ("EHLO [IPv6:fe80::1%eth0]", "[IPv6:fe80::1%eth0]"),
        ("EHLO b\u00fccher.example", "b\u00fccher.example"),
        (f"EHLO {'x' * 600}", "x" * 255),
    ],
)
def test_any_name_is_a_greeting(line: str, name: str) -> None:
    assert parse_command(line.encode()) == Hello(name, is_extended=True)


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("a@s.example", A),
        (" a@s.example", A),
        ("\t<a@s.example>", A),
        ("a@s.example SIZE=10", A),
        ("<a@s.example>\tSIZE=10 ", A),
        ("<a@s.example> SIZE=10 SIZE=10", A),
        ("< a@s.example >", A),
        ("<<a@s.example>>", A),
        ("a@s.example>", A),
        ("Joe <a@s.example>", A),
        ('"Joe X." <a@s.example> SIZE=10', A),
        ('"a b"@s.example', Mailbox('"a b"', "s.example")),
        ("<a@s.example>,", A),
        ("<a@s.example>;, SIZE=10", A),
        ("a@s.example,", A),
        ("<>,", None),
        ("<a@s.example (Joe)>", A),
        ("<(Joe (of Sales))a@s.example>", A),
        ("<a(x)@(y)s.example>(z) SIZE=10", A),
        ("(Joe, >)a@s.example SIZE=10", A),
        (r"<a@s.example (\) \( >)>", A),
        ('<"a(b"(c)@s.example>', Mailbox('"a(b"', "s.example")),
        ("<(nobody)>", None),
        ("<a @ s . example>", A),
        ("<a@s.example> AUTH= SIZE=10", A),
        ("<a@s.example> auth=", A),
        ("<root>", Mailbox("root", "")),
        ("root", Mailbox("root", "")),
        (" root SIZE=10", Mailbox("root", "")),
        ("@r.example,@q.example:a@s.example", A),
        ("<mailto:a@s.example>", Mailbox("mailto:a", "s.example")),
        ("<\\a@s.example>", Mailbox("\\a", "s.example")),
        ("<@r.example,@q.example:a@s.example>", A),
        ("<>", None),
        (" <> SIZE=0", None),
    ],
)
def test_reverse_paths_as_they_come(argument: str, path: Mailbox | None) -> None:
    command = parse_command(f"MAIL FROM:{argument}".encode())
    assert isinstance(command, Mail)
    assert command.reverse_path == path


@pytest.mark.parametrize(
    "line",
    [
        "RCPT TO:a@s.example",
        "RCPT TO: a@s.example",
        "RCPT\tTO:<a@s.example>",
        "RCPT  TO:<a@s.example>",
        "RCPT TO:a@s.example NOTIFY=NEVER",
        "RCPT TO:<a@s.example>\t",
        "RCPT TO:< a@s.example >",
        "RCPT TO:Joe <a@s.example>",
        "RCPT TO:@r.example:a@s.example",
    ],
)
def test_forward_paths_as_they_come(line: str) -> None:
    command = parse_command(line.encode())
    assert isinstance(command, Rcpt)
    assert command.forward_path == A


def test_postmaster_needs_neither_domain_nor_brackets() -> None:
    command = parse_command(b"RCPT TO:postmaster")
    assert isinstance(command, Rcpt)
    assert command.forward_path == Mailbox("postmaster", "")


@pytest.mark.parametrize(
    "argument",
    [
        "SIZE=10",
        "@r.example",
        "a@s.example,b@s.example",
        "<a@s.example> <b@s.example>",
        "<a@s.example",
        "<a b@s.example>",
        "<a@s.example (open>",
        "<a@s.example)>",
        "<a@s.example> (Joe)",
        "<a@s.example>,<b@s.example>",
        "<Joe (x) a@s.example>",
        r"<a\(b@s.example>",
        "(a@s.example)",
        "a@s.example <b@s.example>",
        "<a@>",
        "<@s.example>",
        '"<a@s.example>"',
        "",
    ],
)
def test_an_ambiguous_path_is_refused(argument: str) -> None:
    for line in (f"MAIL FROM:{argument}", f"RCPT TO:{argument}"):
        with pytest.raises(CommandRefused):
            parse_command(line.encode())


def test_blanks_and_tabs_around_other_commands() -> None:
    assert parse_command(b" rset\t") == Reset()
    assert parse_command(b"NOOP\tx") == Noop()
    assert parse_command(b"ETRN\ta.example\t") == Etrn("a.example")
    assert parse_command(b"AUTH\tPLAIN") == Auth("PLAIN", None)
    assert parse_command(b"AUTH  PLAIN\t AGE= ") == Auth("PLAIN", "AGE=")


def test_parameters_count_after_helo_too() -> None:
    Conversation().transcript("""
        S: 220 mx2.example.net ESMTP Restante
        C: HELO c.example
        S: 250 mx2.example.net
        C: MAIL FROM:<a@a.example> SIZE=100 BODY=8BITMIME RET=HDRS
        S: 250 2.1.0 OK
        C: RCPT TO:<b@b.example> NOTIFY=NEVER
        S: 250 2.1.5 OK
        C: RSET
        S: 250 2.0.0 OK
        C: MAIL FROM:<a@a.example> XYZ=1
        S: 555 5.5.4 Parameter not recognized or not offered
    """)
