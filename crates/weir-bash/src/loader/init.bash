# shellcheck shell=bash
# Printed by `weir bash init`: defines `weir.load` and `weir.load-all`.
# A package may define functions and aliases with the names of commands, and a caller may have any options on. So every command is asked of
# Bash itself (`\builtin`), every local variable gets its value in a statement of its own (`set -k`), and while this
# text is read there are no aliases and no POSIX mode, which forbids names with a dot.
__weir_bashopts=${BASHOPTS-} __weir_posix=${POSIXLY_CORRECT+yes}
\builtin shopt -q expand_aliases 2>/dev/null && __weir_bashopts+=:expand_aliases
\builtin shopt -u expand_aliases 2>/dev/null
if [[ -z ${BASH_VERSINFO[0]-} ]] || ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 403)); then
	\builtin printf '%s\n' "weir bash init: Bash 4.3 or later is needed, this is: ${BASH_VERSION-unknown}" >&2
	# shellcheck disable=SC2317
	\builtin return 1 2>/dev/null || \builtin exit 1
fi
# The first time nothing may be left of whatever it is. What cannot be unset cannot be used.
if [[ -z ${__weir_scope[1]-} ]] && ! \builtin unset -v __weir_name __weir_home __weir_found __weir_needs __weir_sources __weir_settings \
	__weir_direct __weir_read __weir_loaded __weir_scope __weir_base __weir_dir __weir_from __weir_held __weir_hop __weir_hops __weir_item __weir_k __weir_key \
	__weir_link __weir_n __weir_own __weir_part __weir_path __weir_rest __weir_root __weir_status __weir_what 2>/dev/null; then
	\builtin printf '%s\n' 'weir bash init: a read-only variable of this shell has a name that the loader uses:' >&2
	\builtin readonly -p | \builtin command grep ' __weir_' >&2
	# shellcheck disable=SC2317
	\builtin return 1 2>/dev/null || \builtin exit 1
fi
# Packages are known by the folder they are in.
\builtin declare -gA __weir_name __weir_home __weir_found __weir_needs __weir_sources __weir_settings __weir_direct
# What was done already: projects read, packages loaded, folders looked up.
\builtin declare -gA __weir_read __weir_loaded __weir_scope
__weir_scope[1]=yes
if [[ -n $__weir_posix ]]; then
	__weir_posix=$(\builtin declare -p POSIXLY_CORRECT)
	\builtin set +o posix
fi

# Load a package, and first what it needs: weir.load OWNER/NAME [FILE]
weir.load() {
	__weir.own it
	\builtin local __weir_status
	__weir_status=0
	__weir.load "${BASH_SOURCE[1]-}" "$@" || __weir_status=$?
	__weir.disown "$__weir_status"
}

# Load every direct dependency: of the project or, in a command of a package, of that package. One that fails is named,
# and the others are loaded.
weir.load-all() {
	__weir.own it
	\builtin local __weir_status
	__weir_status=0
	__weir.load-all "${BASH_SOURCE[1]-}" || __weir_status=$?
	__weir.disown "$__weir_status"
}

# Make sure that `builtin` is Bash's own: a function of that name is put aside, be it a wrapper, in which `local` and `return` would be those of
# the wrapper. Until that is done there are only keywords, assignments and, in POSIX mode, the special builtins, which
# come before functions there. Takes one argument, which only Bash itself can shift away.
__weir.own() {
	if \builtin shift >/dev/null 2>&1 && (($# == 0)); then
		\builtin return 0
	fi
	__weir_own=${POSIXLY_CORRECT+posix}
	__weir_bashopts=$BASHOPTS
	POSIXLY_CORRECT=y
	__weir_held=$(\unset -f declare && \declare -f builtin)
	\unset -f builtin
	if [[ -z $__weir_own ]]; then
		\set +o posix
		__weir.options
	fi
}

# Put back what was put aside, and give back a status.
__weir.disown() {
	if [[ -z ${__weir_held-} ]]; then
		\builtin return "$1"
	fi
	__weir_own=$__weir_held
	__weir_held=''
	\builtin eval "$__weir_own"
	(($1 == 0))
}

# Options that POSIX mode changes when it comes and goes, as they were before.
__weir.options() {
	\builtin local __weir_item
	for __weir_item in expand_aliases inherit_errexit interactive_comments shift_verbose sourcepath; do
		if [[ :$__weir_bashopts: == *":$__weir_item:"* ]]; then
			\builtin shopt -s "$__weir_item" 2>/dev/null
		else
			# 4.3 does not have them all.
			\builtin shopt -u "$__weir_item" 2>/dev/null || \builtin :
		fi
	done
	\builtin return 0
}

__weir.load() {
	\builtin local __weir_root __weir_key
	__weir_root='' __weir_key=''
	if (($# < 2 || $# > 3)) || [[ -z $2 ]]; then
		\builtin printf '%s\n' 'weir.load: expected: weir.load OWNER/NAME [FILE]' >&2
		\builtin return 2
	fi
	__weir.scope "$1" || \builtin return
	__weir_key=$__weir_root:$2
	if [[ -z ${__weir_found["$__weir_key"]-} ]]; then
		if [[ $2 == *$'\r' ]]; then
			\builtin printf '%s\n' 'weir.load: the lines of the calling script end in CRLF, and Bash takes the CR for part of a word' >&2
			\builtin return 1
		fi
		\builtin printf '%s\n' "weir.load: \`$2\` is not a dependency of \`$__weir_root\`" >&2
		__weir.known >&2
		\builtin return 1
	fi
	__weir_key=${__weir_found["$__weir_key"]}
	if (($# == 3)); then
		__weir.file "$__weir_key" "$3"
	elif [[ -z ${__weir_sources["$__weir_key"]-}${__weir_needs["$__weir_key"]-}${__weir_settings["$__weir_key"]-} ]]; then
		\builtin printf '%s\n' "weir.load: \`$2\` has nothing to load: its \`[bash]\` names no \`source\`" >&2
		\builtin return 1
	else
		__weir.package "$__weir_key"
	fi
}

__weir.load-all() {
	\builtin local __weir_root __weir_base __weir_rest __weir_item __weir_status
	__weir_root='' __weir_status=0
	__weir.scope "$1" || \builtin return
	__weir_base=${__weir_home["$__weir_root"]-$__weir_root}
	__weir_rest=${__weir_direct["$__weir_root"]-}
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.package "$__weir_base/$__weir_item" || __weir_status=$?
	done
	\builtin return "$__weir_status"
}

# Find what the caller's file belongs to, a package or a project, and set __weir_root to its folder: from where the file
# really is and, where nothing is found there, from each link on the way to it, the last one first.
__weir.scope() {
	\builtin local __weir_from __weir_link __weir_hops __weir_hop __weir_item
	__weir_hop=$1 __weir_hops=$1$'\x1e'
	while [[ -L $__weir_hop ]]; do
		__weir_link=$(\builtin command readlink -- "$__weir_hop") || \builtin break
		if [[ $__weir_link != /* ]]; then
			if [[ $__weir_hop == */* ]]; then
				# The folder that the link is in may be reached through a link, too, and `..` is that of where it really is.
				__weir_item=$(CDPATH='' && \builtin cd -P -- "${__weir_hop%/*}/" && \builtin pwd -P) || \builtin break
				__weir_link=${__weir_item%/}/$__weir_link
			fi
		elif [[ $__weir_hop == */weir_packages/* ]]; then
			# A link of the layout leads into the store, where nobody knows the project.
			\builtin break
		fi
		__weir_hop=$__weir_link
		__weir_hops=$__weir_hop$'\x1e'$__weir_hops
	done
	while [[ -n $__weir_hops ]]; do
		__weir_hop=${__weir_hops%%$'\x1e'*}
		__weir_hops=${__weir_hops#"$__weir_hop"}
		__weir_hops=${__weir_hops#$'\x1e'}
		__weir.folder "$__weir_hop"
		if __weir.above; then
			\builtin return 0
		fi
	done
	# A folder on the way may be a link, too.
	if [[ $1 == */* ]] && __weir_link=$(CDPATH='' && \builtin cd -P -- "${1%/*}/" && \builtin pwd -P) && [[ $__weir_link != "$__weir_from" ]]; then
		__weir_hop=$__weir_from __weir_from=${__weir_link%/}
		if __weir.above; then
			\builtin return 0
		fi
		__weir_from=$__weir_hop
	fi
	__weir_root=${__weir_global-}
	if [[ -n $__weir_root ]]; then
		__weir.read
		\builtin return 0
	fi
	\builtin printf '%s\n' "weir.load: no project was found from \`$__weir_from\` upwards: \`weir install\` makes its \`weir_packages\`" >&2
	\builtin return 1
}

# Set __weir_from to the folder that a file is in; the current one where there is no file.
__weir.folder() {
	__weir_from=$1
	if [[ $__weir_from == /*/* ]]; then
		__weir_from=${__weir_from%/*}
	elif [[ $__weir_from == /* ]]; then
		__weir_from=
	elif [[ $__weir_from == */* ]]; then
		__weir_from=$PWD/${__weir_from%/*}
	else
		__weir_from=$PWD
	fi
	if [[ $__weir_from/ == */../* ]]; then
		__weir.plain "$__weir_from/"
	fi
}

# Set __weir_root to the nearest package or project at or above __weir_from.
__weir.above() {
	\builtin local __weir_dir
	if [[ -n ${__weir_scope["$__weir_from/"]-} ]]; then
		__weir_root=${__weir_scope["$__weir_from/"]}
		\builtin return 0
	fi
	__weir_dir=$__weir_from
	while \builtin :; do
		# The empty key is none: it stands for the root folder here.
		if [[ -n $__weir_dir && -n ${__weir_name["$__weir_dir"]-} ]]; then
			\builtin break
		fi
		# Without an index nothing is to be loaded; a package's folder may hold the commands of what it uses.
		if [[ -f $__weir_dir/weir_packages/load.bash || -d $__weir_dir/weir_packages && $__weir_dir/ != */weir_packages/* ]]; then
			if [[ -n ${__weir_read["$__weir_dir/"]-} ]]; then
				\builtin break
			fi
			__weir_root=$__weir_dir
			__weir.read
			# What it says may name a package nearer to the caller.
			__weir_dir=$__weir_from
			\builtin continue
		fi
		[[ -n $__weir_dir ]] || \builtin return
		__weir_dir=${__weir_dir%/*}
	done
	__weir_root=$__weir_dir
	__weir_scope["$__weir_from/"]=$__weir_root
}

# Read the index of the project in __weir_root, once.
__weir.read() {
	if [[ -z ${__weir_read["$__weir_root/"]-} ]]; then
		__weir_read["$__weir_root/"]=yes
		if [[ -f $__weir_root/weir_packages/load.bash ]]; then
			# shellcheck disable=SC1091
			\builtin source "$__weir_root/weir_packages/load.bash"
		fi
	fi
}

# Set __weir_from to a path without `.` and `..`.
__weir.plain() {
	\builtin local __weir_rest __weir_part
	__weir_rest=$1 __weir_from=
	while [[ -n $__weir_rest ]]; do
		__weir_part=${__weir_rest%%/*}
		__weir_rest=${__weir_rest#*/}
		case $__weir_part in
		'' | .) ;;
		..) __weir_from=${__weir_from%/*} ;;
		*) __weir_from=$__weir_from/$__weir_part ;;
		esac
	done
}

# The packages that could be loaded, for a message.
__weir.known() {
	\builtin local __weir_key
	for __weir_key in "${!__weir_found[@]}"; do
		if [[ $__weir_key == "$__weir_root:"* ]]; then
			\builtin printf '%s\n' "  it has: ${__weir_key#"$__weir_root:"}"
		fi
	done
}

# Load a package by its folder, and first what it needs; each once.
__weir.package() {
	\builtin local __weir_rest __weir_item __weir_base __weir_status
	__weir_rest=${__weir_needs["$1"]-} __weir_base=${__weir_home["$1"]-} __weir_status=0
	if [[ -n ${__weir_loaded["$1"]-} ]]; then
		\builtin return 0
	fi
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.sources "$__weir_base/$__weir_item" || __weir_status=$?
	done
	__weir.sources "$1" || __weir_status=$?
	\builtin return "$__weir_status"
}

# Apply a package's settings and source its files.
__weir.sources() {
	\builtin local __weir_rest __weir_item __weir_status
	__weir_rest=${__weir_sources["$1"]-} __weir_status=0
	if [[ -n ${__weir_loaded["$1"]-} ]]; then
		\builtin return 0
	fi
	__weir_loaded["$1"]=yes
	__weir.settings "${__weir_settings["$1"]-}"
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.source "$1/$__weir_item" || __weir_status=$?
	done
	\builtin return "$__weir_status"
}

# Source one file of a package, and first all that the package needs.
__weir.file() {
	\builtin local __weir_rest __weir_item __weir_base __weir_status
	__weir_rest=${__weir_needs["$1"]-} __weir_base=${__weir_home["$1"]-} __weir_status=0
	case /$2/ in
	*/../* | //*)
		\builtin printf '%s\n' "weir.load: \`$2\` is not a path inside \`${__weir_name["$1"]}\`" >&2
		\builtin return 2
		;;
	esac
	if [[ ! -f $1/$2 ]]; then
		\builtin printf '%s\n' "weir.load: \`${__weir_name["$1"]}\` has no file \`$2\`" >&2
		\builtin return 1
	fi
	if [[ -n ${__weir_loaded["$1/$2"]-} ]]; then
		\builtin return 0
	fi
	__weir_loaded["$1/$2"]=yes
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.sources "$__weir_base/$__weir_item" || __weir_status=$?
	done
	__weir.settings "${__weir_settings["$1"]-}"
	__weir.source "$1/$2" || __weir_status=$?
	\builtin return "$__weir_status"
}

__weir.source() {
	\builtin local __weir_path
	__weir_path=$1
	if [[ ! -f $__weir_path ]]; then
		\builtin printf '%s\n' "weir.load: a file is missing: \`$__weir_path\`" >&2
		\builtin return 1
	fi
	\builtin shift
	# The file sees no arguments, and its `return` ends only itself. It may define a function `builtin`.
	# shellcheck disable=SC1090
	# `command`: a syntax error does not end a shell in POSIX mode.
	if \builtin command source "$__weir_path"; then
		__weir.own it
		\builtin return 0
	fi
	__weir.own it
	\builtin printf '%s\n' "weir.load: loading failed: \`$__weir_path\`" >&2
	\builtin return 1
}

# Apply settings: `o-errexit`, `s+nullglob`, `e-NAME=value`.
__weir.settings() {
	\builtin local __weir_rest __weir_item __weir_what
	__weir_rest=$1
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir_what=${__weir_item:0:2}
		__weir_item=${__weir_item:2}
		case $__weir_what in
		o-) \builtin set -o "$__weir_item" 2>/dev/null || \builtin : ;;
		o+) \builtin set +o "$__weir_item" 2>/dev/null || \builtin : ;;
		s-) \builtin shopt -s "$__weir_item" 2>/dev/null || \builtin : ;;
		s+) \builtin shopt -u "$__weir_item" 2>/dev/null || \builtin : ;;
		e-)
			__weir_what=${__weir_item%%=*}
			if [[ -z ${!__weir_what+set} ]]; then
				\builtin export "$__weir_what=${__weir_item#*=}"
			fi
			;;
		esac
	done
}

if [[ -n $__weir_posix ]]; then
	\builtin set -o posix
	if [[ $__weir_posix == 'declare -x '* ]]; then
		\builtin export POSIXLY_CORRECT
	fi
fi
__weir.options
