# bash completion for thin-snap(8). The program itself knows what may follow.

_thin_snap() {
	local cur=${COMP_WORDS[COMP_CWORD]} line
	COMPREPLY=()
	[[ $cur != = ]] || cur='' # bash hands over --fs=x in three words
	while IFS= read -r line; do
		case $line in
		:nospace) compopt -o nospace 2>/dev/null ;;
		:program*) _thin_snap_program "${line#* }" && return ;;
		:files) _thin_snap_paths -f ;;
		:dirs) _thin_snap_paths -d ;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <(thin-snap __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

# _thin_snap_paths -f: adds files that begin with cur; with -d folders.
_thin_snap_paths() {
	compopt -o filenames 2>/dev/null
	mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen "$1" -- "$cur")
}

# _thin_snap_program N: the words from N on are another program's line.
_thin_snap_program() {
	if declare -F _command_offset >/dev/null; then # of bash-completion
		_command_offset $(($1 + 1))
	else
		compopt -o default 2>/dev/null
	fi
}

complete -F _thin_snap thin-snap
