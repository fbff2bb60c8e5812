"""chasquid as a primary: Debian's binary in a tree of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Final

from tests.acceptance.certificates import Authority
from tests.acceptance.peers.plain import TreePrimary

CONFIGURATION: Final = Template("""\
hostname: "$hostname"
smtp_address: "$address:$port"
mail_delivery_agent_bin: "/bin/deliver"
data_dir: "/var/lib/chasquid"
mail_log_path: "<stderr>"
""")


class ChasquidPrimary(TreePrimary):
    """Stock chasquid, which has every recipient of its domains share one Maildir.

    It has no mode without a certificate, so it offers STARTTLS with one that nobody knows.
    """

    tree = "chasquid"

    def _configure(self) -> list[str | Path]:
        values = {"hostname": self.hostname, "address": self.address, "port": self.port}
        self._write("etc/chasquid/chasquid.conf", CONFIGURATION.substitute(values))
        for domain in self.domains:
            self._write(f"etc/chasquid/domains/{domain}/aliases", "*: | /bin/deliver\n")
        (self._top / "etc/chasquid/hooks/post-data").unlink(
            missing_ok=True
        )  # Debian's runs spam filters
        self._certify()
        return self._in_tree("/usr/bin/chasquid", "-config_dir=/etc/chasquid")

    def _certify(self) -> None:
        with TemporaryDirectory() as directory:
            keys = Authority(Path(directory), "authority").issue(self.hostname)
            place = self._top / "etc/chasquid/certs" / self.hostname
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(keys.certificate, place / "fullchain.pem")
            shutil.copyfile(keys.key, place / "privkey.pem")
