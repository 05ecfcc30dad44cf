#!/usr/bin/env bash
# A PgBouncer in transaction mode before a PostgreSQL of this machine, to try the programs behind a pooler.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
self=pgbouncer
# shellcheck source=deploy/local/common.sh
source "$here/common.sh"

usage='Usage:
  DATABASE_URL=postgresql://user:password@127.0.0.1:port/database pgbouncer.sh serve
      Prints one line, DATABASE_URL=postgresql://…, the way through the pooler to any database of that server, and runs
      until stdin ends or TERM or INT comes.
  pgbouncer.sh check
      Says which PgBouncer serve would use; as root on a Debian-like machine installs one where there is none.'

program=''

tidy() { end_server INT; }

# Sets $program.
find_pgbouncer() { program=$(PATH=$PATH:/usr/sbin command -v pgbouncer); }

install_missing() {
    if find_pgbouncer; then return; fi
    can_apt || fail "no pgbouncer found; install it"
    say "installing PgBouncer: apt-get install pgbouncer"
    if ! apt_install pgbouncer || ! find_pgbouncer; then fail "pgbouncer could not be installed"; fi
}

serve() {
    local form='^postgres(ql)?://([^:/@]+):([^:/@]+)@([^:/@]+):([0-9]+)/([^?]*)$' user password port as=()
    [[ ${DATABASE_URL:-} =~ $form ]] || fail "DATABASE_URL must be postgresql://user:password@host:port/database"
    user=${BASH_REMATCH[2]} password=${BASH_REMATCH[3]}
    install_missing
    folder=$(mktemp -d "${TMPDIR:-/tmp}/monitoring-pgbouncer.XXXXXX")
    port=$(free_port)
    (umask 077 && echo "\"$user\" \"$password\"" >"$folder/users" && cat >"$folder/pgbouncer.ini") <<TEXT
[databases]
* = host=${BASH_REMATCH[4]} port=${BASH_REMATCH[5]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
pool_mode = transaction
default_pool_size = 4
max_client_conn = 1000
auth_type = scram-sha-256
auth_file = $folder/users
TEXT
    if ((EUID == 0)); then # it refuses root
        id -u postgres >/dev/null 2>&1 || fail "pgbouncer does not run as root, and there is no account 'postgres'"
        chown -R postgres "$folder"
        as=(setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups --)
    fi
    "${process_guard[@]}" "${as[@]}" "$program" "$folder/pgbouncer.ini" </dev/null >"$folder/log" 2>&1 &
    server=$!
    hold_server pgbouncer "$port" "DATABASE_URL=postgresql://$user:$password@127.0.0.1:$port/${BASH_REMATCH[6]}" "$folder/log"
}

case ${1:-} in
    serve) serve ;;
    check) install_missing; echo "PgBouncer: $("$program" --version | sed -n '1s/^PgBouncer //p'), $program" ;;
    '' | -h | --help) echo "$usage" ;;
    *) say "unknown command $1"; echo "$usage" >&2; exit 2 ;;
esac
