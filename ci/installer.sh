# shellcheck shell=bash
# What the installers share; they read it by `source`. A registry may fail once, another program may
# use apt at the moment, and an earlier run may have been killed: none of these fails an installer.

peers_dir=${RESTANTE_PEERS_DIR:-/var/lib/restante-peers}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Those of the named packages that the machine has not.
missing() {
    local package
    for package in "$@"; do is_installed "$package" || echo "$package"; done
}

# Run a command again if it fails: three times in all.
with_retries() {
    local try
    for try in 1 2 3; do
        "$@" && return
        [[ $try -eq 3 ]] || { say "failed, will be tried again: $*"; sleep $((15 * try * try)); }
    done
    return 1
}

# Wait for a lock, which this process and its children then hold until they end.
lock() {
    local file=$1 number=$2 kind=${3:---exclusive}
    mkdir -p "${file%/*}"
    eval "exec $number>>\"\$file\""
    flock "$kind" --nonblock "$number" && return
    say "waiting for another run, which has $file"
    flock "$kind" "$number"
}

# Only one installer uses apt at a time.
lock_apt() { lock "$peers_dir/.lock" 8; }
unlock_apt() { exec 8>&-; }

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o APT::Sandbox::User=root \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >&2
}

update_lists() { with_retries apt_get update; }

# The lists are fetched before each try: a mirror may have replaced a package since. A run that was
# killed may have left packages that are unpacked only.
apt_install() {
    [[ $# -gt 0 ]] || return 0
    say "installing $*"
    with_retries install_now "$@" || die "apt-get cannot install these packages; see above"
}

install_now() {
    dpkg --configure -a >&2 &&
        apt_get update &&
        apt_get --no-install-recommends --no-remove install "$@"
}

# Put a directory into its place, whole. After a kill, there is the old one, the new one or none.
put_into_place() {
    local made=$1 target=$2 beside
    beside=$(mktemp -d "${target%/*}/new.XXXXXX")
    mv "$made" "$beside/made" # a copy, if it comes from another file system
    sync --file-system "$beside"
    [[ ! -e $target ]] || mv "$target" "$beside/old"
    mv "$beside/made" "$target"
    rm -rf "$beside"
}
