# shellcheck shell=bash
# Printed by `weir bash init`: defines `weir.load` and `weir.load-all`.
# A package may define functions with names of commands, `source` among them: what is needed here is asked of Bash itself.
if [[ -z ${BASH_VERSINFO[0]-} ]] || ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 403)); then
	builtin printf '%s\n' "weir bash init: Bash 4.3 or later is needed, this is: ${BASH_VERSION-unknown}" >&2
	# shellcheck disable=SC2317
	return 1 2>/dev/null || exit 1
fi

if [[ -z ${__weir_ready-} ]]; then
	__weir_ready=yes
	# Packages are known by the folder they are in.
	declare -gA __weir_name=() __weir_home=() __weir_found=() __weir_needs=()
	declare -gA __weir_sources=() __weir_settings=() __weir_direct=()
	# What was done already: projects read, packages loaded, folders looked up.
	declare -gA __weir_read=() __weir_loaded=() __weir_scope=()
fi

# Load a package, and first what it needs: weir.load OWNER/NAME [FILE]
weir.load() {
	local __weir_root='' __weir_key=''
	if (($# < 1 || $# > 2)) || [[ -z $1 ]]; then
		builtin printf '%s\n' 'weir.load: expected: weir.load OWNER/NAME [FILE]' >&2
		return 2
	fi
	__weir.scope "${BASH_SOURCE[1]-}" "$1" || return
	__weir_key=$__weir_root:$1
	if [[ -z ${__weir_found["$__weir_key"]-} ]]; then
		builtin printf '%s\n' "weir.load: \`$1\` is not a dependency of \`$__weir_root\`" >&2
		__weir.known >&2
		return 1
	fi
	__weir_key=${__weir_found["$__weir_key"]}
	if (($# == 2)); then
		__weir.file "$__weir_key" "$2"
	else
		__weir.package "$__weir_key"
	fi
}

# Load every direct dependency: of the project or, in a command of a package, of that package. One that fails is named,
# and the others are loaded.
weir.load-all() {
	local __weir_root='' __weir_base='' __weir_rest='' __weir_item='' __weir_status=0
	__weir.scope "${BASH_SOURCE[1]-}" '' || return
	__weir_base=${__weir_home["$__weir_root"]-$__weir_root}
	__weir_rest=${__weir_direct["$__weir_root"]-}
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.package "$__weir_base/$__weir_item" || __weir_status=$?
	done
	return "$__weir_status"
}

# Find what the caller's file belongs to, a package or a project, and set __weir_root to its folder.
__weir.scope() {
	local __weir_from=$1 __weir_dir='' __weir_link=''
	# A command is a link in `bin` to its package's file. Links into the store lead out of the project: those stay.
	while [[ -L $__weir_from ]]; do
		__weir_link=$(command readlink -- "$__weir_from") || break
		[[ $__weir_link != /* ]] || break
		if [[ $__weir_from == */* ]]; then
			__weir_link=${__weir_from%/*}/$__weir_link
		fi
		__weir_from=$__weir_link
	done
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
	if [[ -n ${__weir_scope["$__weir_from/"]-} ]]; then
		__weir_root=${__weir_scope["$__weir_from/"]}
		return 0
	fi
	__weir_dir=$__weir_from
	while :; do
		# The empty key is none: it stands for the root folder here.
		if [[ -n $__weir_dir && -n ${__weir_name["$__weir_dir"]-} ]]; then
			__weir_root=$__weir_dir
			break
		fi
		if [[ -f $__weir_dir/weir_packages/load.bash ]]; then
			__weir_root=$__weir_dir
			if [[ -z ${__weir_read["$__weir_root"]-} ]]; then
				__weir_read["$__weir_root"]=yes
				# shellcheck disable=SC1091
				builtin source "$__weir_root/weir_packages/load.bash"
				# What it says may name a package nearer to the caller.
				__weir_dir=$__weir_from
				continue
			fi
			break
		fi
		if [[ -z $__weir_dir ]]; then
			__weir_root=${__weir_global-}
			break
		fi
		__weir_dir=${__weir_dir%/*}
	done
	if [[ -z $__weir_root || -z ${__weir_name["$__weir_root"]-} && ! -f $__weir_root/weir_packages/load.bash ]]; then
		builtin printf '%s\n' "weir.load: no project was found from \`$__weir_from\` upwards: \`weir install\` makes its \`weir_packages/load.bash\`" >&2
		return 1
	fi
	__weir_scope["$__weir_from/"]=$__weir_root
	if [[ -z ${__weir_read["$__weir_root"]-}${__weir_name["$__weir_root"]-} ]]; then
		__weir_read["$__weir_root"]=yes
		# shellcheck disable=SC1091
		builtin source "$__weir_root/weir_packages/load.bash"
	fi
}

# Set __weir_from to a path without `.` and `..`.
__weir.plain() {
	local __weir_rest=$1 __weir_part=''
	__weir_from=
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
	local __weir_key=''
	for __weir_key in "${!__weir_found[@]}"; do
		if [[ $__weir_key == "$__weir_root:"* ]]; then
			builtin printf '%s\n' "  it has: ${__weir_key#"$__weir_root:"}"
		fi
	done
}

# Load a package by its folder, and first what it needs; each once.
__weir.package() {
	local __weir_rest=${__weir_needs["$1"]-} __weir_item='' __weir_base=${__weir_home["$1"]-} __weir_status=0
	if [[ -n ${__weir_loaded["$1"]-} ]]; then
		return 0
	fi
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.sources "$__weir_base/$__weir_item" || __weir_status=$?
	done
	__weir.sources "$1" || __weir_status=$?
	return "$__weir_status"
}

# Apply a package's settings and source its files.
__weir.sources() {
	local __weir_rest=${__weir_sources["$1"]-} __weir_item='' __weir_status=0
	if [[ -n ${__weir_loaded["$1"]-} ]]; then
		return 0
	fi
	__weir_loaded["$1"]=yes
	__weir.settings "${__weir_settings["$1"]-}"
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir.source "$1/$__weir_item" || __weir_status=$?
	done
	return "$__weir_status"
}

# Source one file of a package, and first all that the package needs.
__weir.file() {
	local __weir_rest=${__weir_needs["$1"]-} __weir_item='' __weir_base=${__weir_home["$1"]-} __weir_status=0
	case /$2/ in
	*/../* | //*)
		builtin printf '%s\n' "weir.load: \`$2\` is not a path inside \`${__weir_name["$1"]}\`" >&2
		return 2
		;;
	esac
	if [[ ! -f $1/$2 ]]; then
		builtin printf '%s\n' "weir.load: \`${__weir_name["$1"]}\` has no file \`$2\`" >&2
		return 1
	fi
	if [[ -n ${__weir_loaded["$1/$2"]-} ]]; then
		return 0
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
	return "$__weir_status"
}

__weir.source() {
	local __weir_path=$1
	if [[ ! -f $__weir_path ]]; then
		builtin printf '%s\n' "weir.load: a file is missing: \`$__weir_path\`" >&2
		return 1
	fi
	shift
	# The file sees no arguments, and its `return` ends only itself.
	# shellcheck disable=SC1090
	if builtin source "$__weir_path"; then
		return 0
	fi
	builtin printf '%s\n' "weir.load: loading failed: \`$__weir_path\`" >&2
	return 1
}

# Apply settings: `o-errexit`, `s+nullglob`, `e-NAME=value`.
__weir.settings() {
	local __weir_rest=$1 __weir_item='' __weir_what=''
	while [[ -n $__weir_rest ]]; do
		__weir_item=${__weir_rest%%$'\x1e'*}
		__weir_rest=${__weir_rest#"$__weir_item"}
		__weir_rest=${__weir_rest#$'\x1e'}
		__weir_what=${__weir_item:0:2}
		__weir_item=${__weir_item:2}
		case $__weir_what in
		o-) builtin set -o "$__weir_item" 2>/dev/null || : ;;
		o+) builtin set +o "$__weir_item" 2>/dev/null || : ;;
		s-) builtin shopt -s "$__weir_item" 2>/dev/null || : ;;
		s+) builtin shopt -u "$__weir_item" 2>/dev/null || : ;;
		e-)
			__weir_what=${__weir_item%%=*}
			if [[ -z ${!__weir_what+set} ]]; then
				builtin export "$__weir_what=${__weir_item#*=}"
			fi
			;;
		esac
	done
}
