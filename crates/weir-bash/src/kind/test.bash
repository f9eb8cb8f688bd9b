# shellcheck shell=bash
# Written by Weir: `weir test` names this file in BASH_ENV, so that every direct dependency is loaded in the process
# that a test runs in, and in no other.
case ${0##*/} in
bats-exec-test) ;;
bash | sh)
	# shellspec gives its specs to a shell on the standard input.
	[[ -n ${SHELLSPEC_ROOT-} && $- != *c* ]] || return 0
	;;
*) return 0 ;;
esac
unset -v BASH_ENV
# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/init.bash" && weir.load-all
