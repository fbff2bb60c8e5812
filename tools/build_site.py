"""Build the site of the documents: `make site`.

python -m tools.build_site DIRECTORY    writes it there; run it with the environment of the site

A warning of Sphinx, a link that leads nowhere, and a page that loads something from outside fail
the build. Nothing is fetched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools import site_check
from tools.site_source import write_source

TOP = Path(__file__).parents[1]


def main(directory: Path) -> int:
    """Build the site, check it, and return the exit code."""
    shutil.rmtree(directory, ignore_errors=True)
    with TemporaryDirectory() as name:
        source = Path(name, "source")
        write_source(TOP, source)
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
        command += ["-d", str(Path(name, "doctrees")), str(source), str(directory)]
        environment = {**os.environ, "RESTANTE_TOP": str(TOP), "PYTHONPATH": str(TOP)}
        ended = subprocess.run(command, check=False, env=environment)  # noqa: S603  our own words
    if ended.returncode:
        return ended.returncode
    (directory / ".buildinfo").unlink(missing_ok=True)
    if code := site_check.main(directory.resolve()):
        return code
    print(f"The site is in {directory}: open {directory / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
