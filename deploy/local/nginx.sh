#!/usr/bin/env bash
# An nginx in front of a service of this machine, to try the programs behind a reverse proxy.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
self=nginx
# shellcheck source=deploy/local/common.sh
source "$here/common.sh"

usage='Usage:
  nginx.sh serve FILE
      FILE holds what stands in a server block, such as locations. Prints one line, URL=http://127.0.0.1:PORT, and runs
      until stdin ends or TERM or INT comes.
  nginx.sh check
      Says which nginx serve would use; as root on a Debian-like machine installs one where there is none.'

program=''

tidy() { end_server TERM; }

# Sets $program.
find_nginx() { program=$(PATH=$PATH:/usr/sbin command -v nginx); }

# Debian starts a server for each that is installed; that one is not wanted here.
install_missing() {
    if find_nginx; then return; fi
    can_apt || fail "no nginx found; install it"
    say "installing nginx: apt-get install nginx-light"
    lock /tmp/monitoring-nginx-install.lock 300 || fail "another installation of nginx does not end"
    if find_nginx; then return; fi
    if ! RUNLEVEL=1 apt_install nginx-light || ! find_nginx; then fail "nginx could not be installed"; fi
}

serve() {
    local port content
    [[ -r ${1:-} ]] || fail "serve needs a FILE that can be read"
    content=$(realpath "$1")
    install_missing
    folder=$(mktemp -d "${TMPDIR:-/tmp}/monitoring-nginx.XXXXXX")
    port=$(free_port)
    cat >"$folder/nginx.conf" <<TEXT
daemon off;
pid $folder/pid;
error_log $folder/log;
worker_processes 1;
$(if ((EUID == 0)); then echo "user root;"; fi)
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 127.0.0.1:$port;
        include $content;
    }
}
TEXT
    "${process_guard[@]}" "$program" -p "$folder" -c "$folder/nginx.conf" </dev/null >"$folder/output" 2>&1 &
    server=$!
    hold_server nginx "$port" "URL=http://127.0.0.1:$port" "$folder/output" "$folder/log"
}

case ${1:-} in
    serve) serve "${@:2}" ;;
    check) install_missing; echo "nginx: $("$program" -v 2>&1 | sed 's|^nginx version: nginx/||'), $program" ;;
    '' | -h | --help) echo "$usage" ;;
    *) say "unknown command $1"; echo "$usage" >&2; exit 2 ;;
esac
