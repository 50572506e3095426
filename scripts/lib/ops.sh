# shellcheck shell=bash
# ops.sh -- what the operators' scripts share: options, the plan, the log file, the service, the proof.  Sourced by bash.
#
# A script says what it is (ops_script, ops_about), takes its options (ops_common takes those of all), writes down its plan (plan),
# calls ops_go, which shows the plan, asks, and returns only if it is to act; then it acts (step, run, hs), notes what it finds
# (prove_...), and ends with ops_end, which prints the proof.
#
# Exit status, as of hallsync itself: 0 done and proven; 1 done, and the proof failed, or the answer is no; 2 usage; 3 the node does
# not answer; 4 refused; 5 damaged data.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # cron's PATH has none of these
umask 077

ops_script=$(basename "$0") ops_started=$(date +%s)
config=${HALLSYNC_CONFIG:-/var/lib/hallsync/hallsync.yaml} service=${HALLSYNC_SERVICE:-hallsync} user=''
dry_run=no yes=no log='' timeout=600
ops_plan=() ops_proof=() ops_failed=no ops_worst=1 ops_acting=no ops_work=''

# ---- talking ----

say() {
    printf '%s\n' "$*"
    if [ "$ops_acting" = yes ]; then printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >>"$log"; fi
}

# die STATUS TEXT: nothing after this is done.
die() {
    local status=$1
    shift
    printf '%s: %s\n' "$ops_script" "$*" >&2
    if [ "$ops_acting" = yes ]; then
        printf '%s failed: %s\n' "$(date -u +%FT%TZ)" "$*" >>"$log"
        printf 'What was done so far is in %s\n' "$log" >&2
    fi
    exit "$status"
}

step() { say "-- $*"; }

yuan() { # FEN
    local sign=''
    [ "$1" -ge 0 ] || sign=-
    printf '%s%d.%02d' "$sign" $((${1#-} / 100)) $((${1#-} % 100))
}

span() { # SECONDS
    if [ "$1" -lt 120 ]; then printf '%d s' "$1"
    elif [ "$1" -lt 7200 ]; then printf '%d min' $(($1 / 60))
    elif [ "$1" -lt 172800 ]; then printf '%d h' $(($1 / 3600))
    else printf '%d days' $(($1 / 86400)); fi
}

now_ms() { date +%s%3N; }

# ---- options ----

common_usage() {
    cat <<TXT

options of all these scripts:
  -c, --config FILE  the node's hallsync.yaml ($config)
  --service NAME     its systemd unit ($service; environment: HALLSYNC_SERVICE)
  --user NAME        who the data belong to (default: the owner of the data directory)
  --dry-run          show the plan and change nothing
  --yes              do not ask
  --log FILE         where what is done is written down (default: a file of its own in \$HALLSYNC_OPS_LOGS or /var/log/hallsync,
                     or ~/.local/state/hallsync where that cannot be written)
  --timeout SECONDS  longest wait for one thing ($timeout)
  -h, --help         this
exit status: 0 done and proven, 1 the proof failed or the answer is no, 2 usage, 3 the node does not answer, 4 refused, 5 damaged data
TXT
}

# value OPTION VALUE...: the value of an option that needs one.
value() {
    [ -n "${2:-}" ] || die 2 "$1 needs a value ($ops_script --help)"
    printf '%s' "$2"
}

# ops_common "$@": takes one of the options of all; $taken words of it.
# shellcheck disable=SC2034 # $taken is the caller's
ops_common() {
    taken=2
    case $1 in
    -c | --config) config=$(value "$@") ;;
    --service) service=$(value "$@") ;;
    --user) user=$(value "$@") ;;
    --log) log=$(value "$@") ;;
    --timeout)
        timeout=$(value "$@")
        [[ $timeout =~ ^[1-9][0-9]*$ ]] || die 2 "--timeout: so many seconds"
        ;;
    --dry-run) dry_run=yes taken=1 ;;
    --yes) yes=yes taken=1 ;;
    -h | --help)
        usage
        common_usage
        exit 0
        ;;
    *) die 2 "what is '$1'?  $ops_script --help" ;;
    esac
}

need() { # PROGRAM...
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || die 4 "$program is not installed; as root: apt-get install $program"
    done
}

# ---- plan, question, log ----

plan() { ops_plan+=("$*"); }

ops_show_plan() {
    local i=0 line
    printf '%s will\n' "$ops_script"
    for line in "${ops_plan[@]}"; do
        i=$((i + 1))
        printf '  %d. %s\n' $i "$line"
    done
}

ops_open_log() {
    if [ -z "$log" ]; then
        local dir=${HALLSYNC_OPS_LOGS:-/var/log/hallsync}
        { mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ]; } || dir=${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/hallsync
        mkdir -p "$dir" || die 4 "$dir: cannot be made; --log FILE names another place"
        log=$dir/$ops_script-$(date -u +%Y%m%dT%H%M%SZ)-$$.log
    fi
    : >>"$log" || die 4 "$log: cannot be written; --log FILE names another place"
}

# ops_go LOCK: shows the plan; --dry-run ends here.  One script at a time works on LOCK, a directory, or what stands for it.
ops_go() {
    ops_show_plan
    if [ "$dry_run" = yes ]; then
        echo "(--dry-run: nothing was changed)"
        exit 0
    fi
    if [ "$yes" = no ]; then
        [ -t 0 ] || die 2 "nobody is there to ask: --yes goes on, --dry-run only shows the plan"
        local answer
        read -r -p "Go on? [yes/no] " answer
        case $answer in y | yes) ;; *) die 4 "not begun; nothing was changed" ;; esac
    fi
    local lock
    lock=${TMPDIR:-/tmp}/hallsync-ops-$(id -u)-$(printf '%s' "$1" | sha256sum | cut -c 1-16).lock
    exec 9>>"$lock"
    flock -n 9 || die 4 "another script is at work on $1; nothing was changed"
    ops_open_log
    ops_acting=yes
    ops_work=$(mktemp -d "${TMPDIR:-/tmp}/hallsync-ops.XXXXXX")
    trap 'ops_watch_end; rm -rf "$ops_work"' EXIT
    trap 'die 130 "interrupted"' INT TERM HUP
    { printf '%s %s, by %s on %s\n' "$(date -u +%FT%TZ)" "$ops_script" "$(id -un)" "$(uname -n)" && ops_show_plan; } >>"$log"
}

# ops_part WHAT FILE BYTES SECONDS: how much of so many bytes has come into the file, and when the rest will have.
ops_part() {
    local size
    size=$(stat -c %s "$2" 2>/dev/null || echo 0)
    printf '%s, %d %%' "$1" $((size * 100 / ($3 > 0 ? $3 : 1)))
    if [ "$size" -gt 0 ] && [ "$size" -lt "$3" ]; then printf ', %s left' "$(span $(($4 * ($3 - size) / size + 1)))"; fi
}

# ops_watch WHAT FILE [BYTES]: beside something long, on a terminal: what it does, by the last line in FILE, or how many of the BYTES
# are there, and for how long.
ops_watch() {
    local began=$SECONDS line
    sleep 2
    while kill -0 $$ 2>/dev/null; do
        if [ -n "${3:-}" ]; then line=$(ops_part "$1" "$2" "$3" $((SECONDS - began)))
        else line=$(tail -n 1 "$2" 2>/dev/null || true); fi
        printf '\r\033[K   %s, %s' "$(printf '%s' "${line:-$1}" | cut -c 1-60)" "$(span $((SECONDS - began)))" >&2
        sleep 1
    done
}

ops_watched=''
ops_watch_begin() { # WHAT FILE [BYTES]
    if ! [ -t 2 ] || [ "${TERM:-dumb}" = dumb ]; then return 0; fi
    ops_watch "$@" 9>&- &
    ops_watched=$!
}
ops_watch_end() {
    [ -n "$ops_watched" ] || return 0
    kill "$ops_watched" 2>/dev/null || true
    wait "$ops_watched" 2>/dev/null || true
    ops_watched=''
    printf '\r\033[K' >&2
}

# run COMMAND...: its output goes to the log; if it fails, the script ends, and says what it said: with its status, if that is
# one of hallsync's own.
run() {
    printf '%s $ %s\n' "$(date -u +%FT%TZ)" "$*" >>"$log"
    local status=0
    : >"$ops_work/err"
    ops_watch_begin "$1" "$ops_work/err"
    "$@" >"$ops_work/out" 2>"$ops_work/err" || status=$?
    ops_watch_end
    cat "$ops_work/out" "$ops_work/err" >>"$log"
    [ $status -ne 0 ] || return 0
    case $1 in
    systemctl | mv | chown) die 4 "$* failed ($status): $(tail -n 3 "$ops_work/err")" ;;
    *) die $status "$* failed: $(tail -n 3 "$ops_work/err")" ;;
    esac
}

# readable OPTION FILE QUESTION
readable() {
    if [ ! -r "$2" ] || [ -d "$2" ]; then die 2 "$1: $3  '$2' cannot be read"; fi
}

# copy_to FILE DIR: whole under its name or not at all; $copy is where it is.
copy_to() {
    copy=$2/$(basename "$1")
    local copied=yes
    ops_watch_begin "copying to $2" "$copy.part" "$(stat -c %s "$1")"
    { cp "$1" "$copy.part" && sync "$copy.part" && mv "$copy.part" "$copy"; } 2>>"$log" || copied=no
    ops_watch_end
    if [ $copied = no ]; then
        rm -f "$copy.part"
        die 4 "$copy: cannot be written: $(tail -n 1 "$log")"
    fi
}

# ---- the node ----

# as_user COMMAND...: what writes into the data must not leave files there that the node cannot read.
as_user() {
    if [ "$(id -u)" -eq 0 ] && [ -n "$user" ] && [ "$user" != root ]; then
        runuser -u "$user" -- "$@"
    else
        "$@"
    fi
}

hs() { as_user hallsync -c "$config" "$@"; }

# conf_key SECTION KEY: as it stands in the node's hallsync.yaml, which init and join write in this form; nothing if it is not there.
conf_key() {
    awk -v section="$1:" -v key="$2:" '
        /^[a-z]/ { inside = $1 == section }
        inside && $1 == key { sub(/^[^:]*: */, ""); gsub(/^"|"$/, ""); print; exit }' "$config"
}

# The node of this machine: its config must be there.
# shellcheck disable=SC2034 # $role is the script's
ops_node() {
    need hallsync jq flock
    [ -r "$config" ] || die 2 "$config: cannot be read; -c FILE names the node's hallsync.yaml"
    data=$(conf_key node data) node_id=$(conf_key node id) role=$(conf_key node role)
    if [ -z "$data" ] || [ -z "$node_id" ]; then die 2 "$config: names no node.id or node.data"; fi
    if [ -z "$user" ] && [ -d "$data" ]; then user=$(stat -c %U "$data"); fi
}

# A socket that is not there need not be waited for.
node_answers() {
    local socket=''
    [ ! -r "$config" ] || socket=$(conf_key listen clients)
    socket=${socket:-ipc://$data/hallsync.sock}
    [ -S "${socket#ipc://}" ] && hs status --json --timeout 3s >/dev/null 2>&1
}

node_must_answer() {
    node_answers || die 3 "$node_id does not answer; is it running?  systemctl status $service"
}

unit_is_active() { command -v systemctl >/dev/null && systemctl is-active --quiet "$service" 9>&-; }

node_stop() {
    if unit_is_active; then
        step "stopping the service $service"
        run systemctl stop "$service" 9>&-
    fi
    ! node_answers || die 4 "$node_id runs, and not as the unit $service: stop it, or name its unit with --service"
}

node_start() {
    need systemctl
    step "starting the service $service"
    run systemctl start "$service" 9>&-
    wait_for "$node_id to answer" node_answers
}

# wait_for WHAT COMMAND...: until the command succeeds.
wait_for() {
    local what=$1 end=$(($(date +%s) + timeout))
    shift
    ops_watch_begin "waiting for $what" /dev/null
    until "$@"; do
        if [ "$(date +%s)" -ge $end ]; then
            ops_watch_end
            die 3 "waited $(span "$timeout") in vain for $what"
        fi
        sleep 0.5
    done
    ops_watch_end
}

# ---- counts, sums, digests ----

# measure FILE: what the node holds, as one JSON object.
measure() {
    hs status --json >"$1.status" || die $? "$node_id: its status cannot be read"
    hs payment totals --json >"$1.totals" || die $? "$node_id: the totals of payments cannot be read"
    hs digest --json >"$1.digest" || die $? "$node_id: its digests cannot be read"
    jq -n -c --slurpfile status "$1.status" --slurpfile totals "$1.totals" --slurpfile digest "$1.digest" '
        {node: $status[0].node_id, store: $status[0].store_id, position: $status[0].position, count: $totals[0].count,
         sum_fen: $totals[0].sum_fen, records: ([$digest[].count] | add // 0)}' >"$1"
    if [ "$ops_acting" = yes ]; then { printf 'measured: ' && cat "$1" "$1.digest"; } >>"$log"; fi
}

digest_of() { sha256sum <"$1.digest" | cut -c 1-16; }

prove() { # WHAT BEFORE AFTER VERDICT; a verdict in capitals is a failure
    ops_proof+=("$1	$2	$3	$4")
    case $4 in [A-Z]*) ops_failed=yes ;; esac
}

# prove_equal WHAT BEFORE AFTER
prove_equal() { if [ "$2" = "$3" ]; then prove "$1" "$2" "$3" equal; else prove "$1" "$2" "$3" DIFFERENT; fi; }

# prove_kept WHAT BEFORE AFTER: a number that may only grow.
prove_kept() {
    if [ "$3" -lt "$2" ]; then prove "$1" "$2" "$3" LESS
    elif [ "$3" -eq "$2" ]; then prove "$1" "$2" "$3" equal
    else prove "$1" "$2" "$3" "$(($3 - $2)) more"; fi
}

prove_money_kept() { # WHAT BEFORE AFTER, fen
    local verdict=equal
    [ "$3" -ge "$2" ] || verdict=LESS
    [ "$3" -le "$2" ] || verdict="$(yuan $(($3 - $2))) more"
    prove "$1" "$(yuan "$2")" "$(yuan "$3")" "$verdict"
}

# prove_measured BEFORE AFTER: files of measure.
prove_measured() {
    prove_kept payments "$(jq .count "$1")" "$(jq .count "$2")"
    prove_money_kept "their sum" "$(jq .sum_fen "$1")" "$(jq .sum_fen "$2")"
    prove_kept records "$(jq .records "$1")" "$(jq .records "$2")"
    local verdict=equal
    [ "$(digest_of "$1")" = "$(digest_of "$2")" ] || verdict=changed
    prove digests "$(digest_of "$1")" "$(digest_of "$2")" $verdict
}

# ops_end DONE: the proof, and the end.
ops_end() {
    local what before after verdict status=0
    while IFS=$'\t' read -r what before after verdict; do
        say "$(printf '%-34s %18s %18s  %s' "$what" "$before" "$after" "$verdict")"
    done < <(printf '%s\n' "proof	before	after	" "${ops_proof[@]}")
    if [ $ops_failed = yes ]; then
        status=$ops_worst # a script may know of worse than 1
        say "NOT PROVEN: see what is in capitals above; the log is $log"
    else
        say "$1; $(span $(($(date +%s) - ops_started))); the log is $log"
    fi
    exit $status
}

# ---- a node from a backup ----

# Who is to own what is restored: the owner of the data directory, or the user of the unit.
ops_restore_user() {
    if [ -z "$user" ] && [ -d "$data" ]; then
        user=$(stat -c %U "$data")
    elif [ -z "$user" ] && command -v systemctl >/dev/null; then
        user=$(systemctl show -p User --value "$service" 2>/dev/null || true)
    fi
}

# restore_into BACKUP SECRET DATA FORCE: stops the node first; what was said is in $ops_work/restore.
restore_into() {
    local words=()
    [ "$4" = no ] || words=(--force)
    if [ -e "$config" ]; then node_stop; fi
    step "restoring $node_id into $3"
    run hallsync restore "$1" --data "$3" --secret "$2" "${words[@]}" --json
    cp "$ops_work/out" "$ops_work/restore"
    say "restored: $(jq .rows "$ops_work/restore") rows, store $(jq -r .store_id "$ops_work/restore")"
    local aside
    aside=$(jq -r '.replaced // empty' "$ops_work/restore")
    [ -z "$aside" ] || say "what was there lies in $aside"
}

# The service must be able to read what root has restored.
own_the_data() {
    if [ "$(id -u)" -eq 0 ] && [ -n "$user" ] && [ "$user" != root ]; then run chown -R "$user:" "$1"; fi
}

# ---- with the others ----

live_peers() { hs status --json | jq -r '.peers[] | select(.state == "live") | .node_id'; }
has_live_peer() {
    local peers
    peers=$(live_peers) && [ -n "$peers" ]
}

# Nothing waits in either direction with anybody who is there, and no states are coming.
nothing_waits() {
    hs status --json | jq -e '[.peers[] | select(.state == "live" and .role != "witness")] | length > 0 and
        all(.[]; (.lag_in_ops // 0) == 0 and (.lag_out_ops // 0) == 0 and (.filling // 0) == 0 and (.equal_as_of_ms // 0) > 0)' >/dev/null
}

wait_until_whole() {
    step "waiting for a peer"
    wait_for "a session with another node (status says why there is none)" has_live_peer
    step "waiting until what others hold is here"
    if [ "$role" = hub ]; then
        wait_for "the others to have given back what they hold" nothing_waits
    else
        run hs wait --synced --timeout "${timeout}s"
    fi
}

# Everybody who is there, and when digests were last found equal with him.
prove_with_peers() {
    local peer as_of
    hs status --json >"$ops_work/peers" || die $? "$node_id: its status cannot be read"
    while IFS=$'\t' read -r peer as_of; do
        if [ "$as_of" -gt 0 ]; then
            prove "digests, with $peer" - "$(date -d "@$((as_of / 1000))" +%T)" "found equal"
        else
            prove "digests, with $peer" - - "not compared yet"
        fi
    done < <(jq -r '.peers[] | select(.state == "live" and .role != "witness") | [.node_id, .equal_as_of_ms // 0] | @tsv' "$ops_work/peers")
}
