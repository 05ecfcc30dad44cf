# shellcheck shell=bash
# What run, test, bench, .ci/run and the scripts of deploy/local share. Sourced, never executed; the one who sources it sets $self, its name in messages.
: "${self:?}"

tidy() { :; } # what to undo at the end; each script replaces it

# A pipe whose reader is gone must not keep anyone from tidying up.
trap '' PIPE
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'code=$?; trap "" HUP INT TERM; set +e; tidy "$code"' EXIT

say() { echo "$self: $*" >&2 || true; }

fail() {
    say "$@"
    exit 1
}

# One line per step, with the seconds since the script began.
step() { printf '[%3d s] %s\n' "$SECONDS" "$*" || true; }

have() { command -v "$1" >/dev/null 2>&1; }

# The start of a command that shall not outlive this shell, whatever kills it (where the machine can do that).
process_guard=()
if have setpriv && setpriv --pdeathsig TERM -- true 2>/dev/null; then process_guard=(setpriv --pdeathsig TERM --); fi

alive() { kill -0 "$1" 2>/dev/null; }

# run_attached LOG COMMAND...: runs it in a process group of its own, with its output in LOG (- for here), and waits.
# A signal interrupts the wait at once, and tidy then finds the group in $attached.
attached=
run_attached() {
    local code=0 log=$1
    shift
    set -m
    if [[ $log == - ]]; then "${process_guard[@]}" "$@" </dev/null & else "${process_guard[@]}" "$@" </dev/null >"$log" 2>&1 & fi
    attached=$!
    set +m
    wait "$attached" || code=$?
    attached=
    return "$code"
}

# stop_group PID SECONDS: asks the group of PID to end, and ends it when it has not done so in time.
stop_group() {
    local deadline=$((SECONDS + $2))
    if kill -TERM -- "-$1" 2>/dev/null; then
        while kill -0 -- "-$1" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
        kill -KILL -- "-$1" 2>/dev/null || true
    fi
    wait "$1" 2>/dev/null || true
}

port_taken() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port below those that the kernel hands out by itself.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 10000))
        port_taken "$port" || { echo "$port"; return; }
    done
    fail "no free port between 20000 and 29999 on 127.0.0.1"
}

# A script that serves one thing has it as $server, in a $folder of its own.
server='' folder=''

# hold_server NAME PORT LINE LOG...: waits until $server accepts connections on PORT, prints LINE, and returns when stdin ends.
hold_server() {
    local name=$1 port=$2 line=$3
    shift 3
    until port_taken "$port"; do
        alive "$server" || fail "$name did not start: $(tail -n 5 "$@" 2>/dev/null)"
        sleep 0.1
    done
    echo "$line"
    while alive "$server"; do
        read -r -t 1 _ || (($? > 128)) || return 0
    done
    fail "$name ended by itself: $(tail -n 5 "$@" 2>/dev/null)"
}

# end_server SIGNAL: ends what is attached and $server, and removes $folder.
end_server() {
    if [[ -n $attached ]]; then stop_group "$attached" 10; fi
    if [[ -n $server ]]; then kill "-$1" "$server" 2>/dev/null; wait "$server" 2>/dev/null; fi
    if [[ -n $folder ]]; then rm -rf "$folder"; fi
}

# lock FILE SECONDS: 0 when this script, and what it starts, now holds FILE. Falls to the kernel to give back.
lock() {
    local fd
    have flock || return 0
    exec {fd}>>"$1" || return 1
    flock --timeout "$2" "$fd" || { exec {fd}>&-; return 1; }
}

can_apt() { ((EUID == 0)) && have apt-get; }

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq -o DPkg::Lock::Timeout=120 update && apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"; } >&2
}

# build ROOT LOG: builds the whole solution; one build at a time in a checkout, and no build server stays behind.
build() {
    have dotnet || fail "'dotnet' is not on the PATH; install the .NET SDK 10"
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
    mkdir -p "$1/.data"
    # shellcheck disable=SC2016 # the inner shell expands them
    run_attached "$2" bash -c 'if command -v flock >/dev/null; then exec 9>>"$1/.data/build.lock"; flock 9; fi
        exec dotnet build "$1/Monitoring.sln" -c Release -v quiet --disable-build-servers' build "$1" && return
    if ! grep -E ': error [A-Z]+[0-9]+' "$2" | sort -u | head -n 40 >&2; then tail -n 40 "$2" >&2; fi
    say "the build failed; all of its output is in $2"
    return 1
}
