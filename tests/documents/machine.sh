#!/usr/bin/env bash
# Builds the file tree of a scratch machine and runs /steps/run there. Started by machine.py in
# mount, process, host name and IPC namespaces of its own; the network is the caller's.
#
#   machine.sh ROOT CHECKOUT PYTHON_HOME STEPS
set -euo pipefail
root=$1 checkout=$2 python_home=$3 steps=$4

bound() { mkdir -p "$root$1" && mount --rbind "$1" "$root$1"; }

mount --make-rprivate /
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 scratch "$root"
bound /usr
bound /dev
for name in bin sbin lib lib64; do [[ ! -L /$name ]] || cp -P "/$name" "$root/$name"; done
mkdir -p "$root"/{proc,run,root,srv,home,opt/restante/bin,steps,var/{lib/postfix,spool,log,backups,tmp,cache}}
mkdir -m 1777 "$root/tmp"
ln -s /run "$root/var/run"
mount -t proc proc "$root/proc"
bound "$checkout"
bound "$python_home"
mount --rbind "$steps" "$root/steps"
cp -a /etc "$root/etc"
[[ ! -d /var/lib/dpkg ]] || mkdir -p "$root/var/lib/dpkg"

# Two hosts that share one file tree: the backup MX, where the steps are run, and the primary.
# The demonstration has a primary too, which greets with this host's name: it must not be the backup MX's.
hostname box.example.org
ip link set lo up
ip netns add primary
ip link add mx type veth peer name eth0 netns primary
ip address add 192.0.2.25/24 dev mx
ip link set mx up
for device in lo eth0; do ip -n primary link set "$device" up; done
ip -n primary address add 192.0.2.77/24 dev eth0
mkdir "$root/run/netns"
mount --bind /run/netns/primary "$(touch "$root/run/netns/primary" && echo "$root/run/netns/primary")"

printf '127.0.0.1 localhost box.example.org\n192.0.2.25 mx2.example.net\n192.0.2.77 mail.acme.example\n' \
    >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
printf 'nameserver 127.0.0.1\n' >"$root/etc/resolv.conf"

# A checkout to work in: the files of ours, with the environment that `make install` has made.
mkdir "$root/srv/restante"
# Exit code 1: a file changed, because another test compiles modules there at the same time.
{ tar -C "$checkout" --exclude=./.git --exclude=./.venv --exclude=./var --exclude='*_cache' \
    --exclude=__pycache__ -cf - . || [[ $? -eq 1 ]]; } |
    tar -C "$root/srv/restante" -xf -
ln -s "$checkout/.venv" "$root/srv/restante/.venv"
for program in restante restante-client; do
    ln -s "$checkout/.venv/bin/$program" "$root/opt/restante/bin/$program"
done

# Exim and fetchmail of Debian sid, with places of this machine for all that they write.
sid=${RESTANTE_PEERS_DIR:-/var/lib/restante-peers}/sid
if [[ -d $sid ]]; then
    bound_sid=$root/opt/sid
    mkdir -p "$bound_sid"
    mount --bind "$sid" "$bound_sid"
    for name in etc var tmp; do
        mount -t tmpfs -o mode=755 "sid-$name" "$bound_sid/$name"
        cp -a "$sid/$name/." "$bound_sid/$name"
    done
fi
exec chroot "$root" /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 CHECKOUT="$checkout" \
    PATH="/steps/bin:/opt/restante/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin" \
    /bin/bash /steps/run
