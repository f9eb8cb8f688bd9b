# shellcheck shell=bash
# Written by Weir: `weir test` names this file in BASH_ENV, so that every direct dependency is loaded in the process
# that a test runs in, and in no other.
__weir_what=$0
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] == 403)) && [[ -r /proc/self/cmdline ]]; then
	# 4.3 does not tell yet what it is going to run: it is the first argument that is no option.
	__weir_rest=no
	while IFS= \builtin read -r -d '' __weir_item; do
		if [[ $__weir_rest == no ]]; then
			__weir_rest=yes
		elif [[ $__weir_item != [-+]* ]]; then
			[[ $- == *c* ]] || __weir_what=$__weir_item
			\builtin break
		fi
	done </proc/self/cmdline
fi
case ${__weir_what##*/} in
bats-exec-test) ;;
bash | sh)
	# shellspec gives its specs to a shell on the standard input.
	[[ -n ${SHELLSPEC_ROOT-} && $- != *c* ]] || \builtin return 0
	;;
*) \builtin return 0 ;;
esac
\builtin unset -v BASH_ENV __weir_what
# shellcheck source=/dev/null
\builtin source "${BASH_SOURCE[0]%/*}/init.bash" && weir.load-all
