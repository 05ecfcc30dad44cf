#!/usr/bin/env bash
# A Caddy in front of a service of this machine, to try the programs behind a reverse proxy.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=${here%/deploy/local}
self=caddy
# shellcheck source=deploy/local/common.sh
source "$here/common.sh"

usage='Usage:
  caddy.sh serve FILE
      FILE is a Caddyfile of sites without global options; {$SITE} in it is the address to serve at. Prints one line,
      URL=http://127.0.0.1:PORT, and runs until stdin ends or TERM or INT comes.
  caddy.sh check
      Says which Caddy serve would use; on a Debian-like machine fetches one into artifacts/caddy where there is none.'

program=''

tidy() { end_server TERM; }

# Sets $program.
find_caddy() {
    local fetched=$root/artifacts/caddy/usr/bin/caddy
    if program=$(PATH=$PATH:/usr/sbin command -v caddy); then return; fi
    program=$fetched
    [[ -x $program ]] && "$program" version >/dev/null 2>&1
}

# Unpacked, not installed: Debian's package would start a server of its own, which is not wanted here.
fetch_missing() {
    local to=$root/artifacts/caddy
    if find_caddy; then return; fi
    if ! can_apt || ! have dpkg-deb; then fail "no caddy found; install it"; fi
    say "fetching Caddy: apt-get download caddy"
    mkdir -p "$to"
    lock "$to/lock" 300 || fail "another fetching of Caddy does not end"
    if find_caddy; then return; fi
    # shellcheck disable=SC2016 # the inner shell expands them
    run_attached "$to/log" bash -ec 'cd "$1" && rm -f ./*.deb
        apt-get -qq download caddy || { apt-get -qq -o DPkg::Lock::Timeout=120 update && apt-get -qq download caddy; }
        dpkg-deb -x ./*.deb . && rm -f ./*.deb' caddy "$to" || fail "caddy could not be fetched: $(tail -n 3 "$to/log" | paste -sd ' ')"
    find_caddy || fail "the caddy that was fetched does not run"
}

serve() {
    local port content
    [[ -r ${1:-} ]] || fail "serve needs a FILE that can be read"
    content=$(realpath "$1")
    fetch_missing
    folder=$(mktemp -d "${TMPDIR:-/tmp}/monitoring-caddy.XXXXXX")
    port=$(free_port)
    { printf '{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n\tstorage file_system %s/storage\n}\n' "$folder"
        cat "$content"; } >"$folder/Caddyfile"
    HOME=$folder XDG_DATA_HOME=$folder/data XDG_CONFIG_HOME=$folder/config SITE=http://127.0.0.1:$port \
        "${process_guard[@]}" "$program" run --config "$folder/Caddyfile" --adapter caddyfile </dev/null >"$folder/log" 2>&1 &
    server=$!
    hold_server caddy "$port" "URL=http://127.0.0.1:$port" "$folder/log"
}

case ${1:-} in
    serve) serve "${@:2}" ;;
    check) fetch_missing; echo "Caddy: $("$program" version | cut -d' ' -f1), $program" ;;
    '' | -h | --help) echo "$usage" ;;
    *) say "unknown command $1"; echo "$usage" >&2; exit 2 ;;
esac
