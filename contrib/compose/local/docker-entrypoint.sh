#!/usr/bin/env bash
# Does for run_local.py what the official image's entry point does for compose.yaml.
#
#   docker-entrypoint.sh postgres -c …     PGDATA, PGHOST (a directory), PGPORT, INITDB_SCRIPTS
set -euo pipefail

set -- "$@" -c unix_socket_directories="$PGHOST"
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    # shellcheck disable=SC2086  these are several words
    initdb --pgdata "$PGDATA" --username postgres --auth-local trust --no-instructions \
        --pwfile "$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    pg_ctl --pgdata "$PGDATA" --wait --options "$(printf '%q ' "${@:2}" -c listen_addresses=)" start
    for script in $INITDB_SCRIPTS; do bash "$script"; done
    pg_ctl --pgdata "$PGDATA" --wait --mode fast stop
fi
exec "$@"
