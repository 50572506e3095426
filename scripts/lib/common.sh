# Shared by the scripts: where we are, packages, builds.  Sourced by bash with set -eu.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=$(nproc)

BUILD_PACKAGES="gcc cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libzmq3-dev liblmdb-dev libsodium-dev
  libzstd-dev libjansson-dev libcyaml-dev libyaml-dev libsystemd-dev
  libmicrohttpd-dev libgnutls28-dev zlib1g-dev libncurses-dev libjs-chart.js jq"
TEST_PACKAGES="patch shellcheck iproute2 faketime llvm-14 clang clang-tidy clang-format-14 libclang-rt-14-dev protobuf-compiler libcmocka-dev git python3 python3-zmq python3-protobuf procps systemd prometheus zstd man-db openssl chromium chromium-driver python3-selenium fonts-noto-cjk"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$(basename "$0"): $*"
    exit 1
}

# need_packages NAME...: install what is missing; nothing is asked, nothing else is upgraded.
need_packages() {
    local name missing=()
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "missing packages: ${missing[*]}; install them as root: apt-get install ${missing[*]}"
        sudo=(sudo)
    fi
    say "installing: ${missing[*]}"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# Into top/DIR.
configure() { # DIR CMAKE_ARGUMENT...
    local dir="$top/$1"
    shift
    mkdir -p "$dir"
    cmake -S "$top" -B "$dir" -G Ninja "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; die "cmake failed"; }
}
watch_build() { # LOG: beside ninja, on a terminal: how far it is, by the last line that it has written
    local began=$SECONDS line
    sleep 2
    while kill -0 $$ 2>/dev/null; do
        line=$(tail -n 1 "$1" 2>/dev/null || true)
        if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] && ${BASH_REMATCH[1]} -gt 0 ]]; then
            printf '\r\033[K   %s of %s, about %s s left' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" \
                $(((SECONDS - began) * (BASH_REMATCH[2] - BASH_REMATCH[1]) / BASH_REMATCH[1])) >&2
        fi
        sleep 1
    done
}
compile() { # DIR [TARGET...]
    local dir="$top/$1" status=0 watched=''
    shift
    if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
        watch_build "$dir.log" &
        watched=$!
    fi
    ninja -C "$dir" -j "$jobs" "$@" >"$dir.log" 2>&1 || status=$?
    if [ -n "$watched" ]; then
        kill "$watched" 2>/dev/null || true
        wait "$watched" 2>/dev/null || true
        printf '\r\033[K' >&2
    fi
    [ $status -eq 0 ] || { grep -vE '^\[[0-9]+/' "$dir.log" >&2; die "the build failed"; }
    rm -f "$dir.log"
}
build() { # DIR CMAKE_ARGUMENT...
    configure "$@"
    compile "$1"
}
