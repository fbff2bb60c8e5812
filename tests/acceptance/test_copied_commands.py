"""Commands that are copied from a page: the shell reads the words that were meant."""

import subprocess

from restante.web.portal.shell_words import shell_line


def test_a_shell_reads_the_same_words() -> None:
    words = ["it's", "a\\b'\x1b\x03\n\x7f", "\x85\u202e\U000e0001", "$HOME `id`", "", "plain"]
    script = f"printf '%s\\0' {shell_line(words)}"
    shown = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert shown.stdout.decode().split("\0") == [*words, ""]
