#!/usr/bin/env bash
# What the scripts of bench/native share: a place to work in, the program to try, and ways to say what is expected.
# Sets: weir (the program), work (the folder to work in).

native=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
failures=0

usage_of() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$1"; }

# The program to try: WEIR, or the newer one of this checkout's two builds.
find_program() {
    local builds=$native/../../target
    weir=${WEIR:-$builds/release/weir}
    [[ -n ${WEIR-} || ! $builds/debug/weir -nt $weir ]] || weir=$builds/debug/weir
    [[ -x $weir ]] || { echo 'no weir: cargo build --release -p weir' >&2 && exit 2; }
    weir=$(cd "${weir%/*}" && pwd)/${weir##*/}
}

# A folder to work in: KEEP, which stays, or a temporary one, which does not.
start_work() {
    find_program
    if [[ -n ${KEEP-} ]]; then
        mkdir -p "$KEEP"
        work=$(cd "$KEEP" && pwd)
    else
        work=$(mktemp -d)
        trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
    fi
    export WEIR_HOME=$work/home
    unset WEIR_REGISTRY WEIR_STORE WEIR_OFFLINE
}

step() { printf '\n== %s\n' "$*"; }

# Something that should be so is not. The steps after it are still taken, so that one run shows all there is to mend.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    failures=$((failures + 1))
}

# expect CODES COMMAND…: runs it, shows what it says, keeps that in `said`, and its time in `took` (milliseconds).
# Of a command with `--json` only what it prints for programs is kept, and little of it is shown.
expect() {
    local wanted=$1 code=0 start
    shift
    printf '$ %s' "${1##*/}"
    printf ' %s' "${@:2}"
    printf '\n'
    start=$EPOCHREALTIME
    if [[ " $* " == *' --json '* ]]; then
        said=$("$@" </dev/null) || code=$?
    else
        said=$("$@" 2>&1 </dev/null) || code=$?
    fi
    # shellcheck disable=SC2034 # for the scripts
    took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
    if [[ " $* " == *' --json '* ]]; then
        printf '    %.200s…\n' "$said"
    elif [[ -n $said ]]; then
        printf '    %s\n' "${said//$'\n'/$'\n    '}"
    fi
    [[ " $wanted " == *" $code "* ]] || fail "exit code $code, expected $wanted: ${1##*/} ${*:2}"
}

# says TEXT…: what was said holds each text; says_not: it holds none of them.
says() {
    local text
    for text; do [[ $said == *"$text"* ]] || fail "not said: $text"; done
}
says_not() {
    local text
    for text; do [[ $said != *"$text"* ]] || fail "said, and should not be: $text"; done
}

finish() {
    if ((failures)); then
        printf '\n%d expectations failed\n' "$failures" >&2
        exit 1
    fi
    printf '\nall is as expected\n'
}
