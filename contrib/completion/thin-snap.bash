# bash completion for thin-snap(8)

# _thin_snap_list prints names of pools or volumes; without root there are none.
_thin_snap_list() {
	thin-snap "$@" -H -o name 2>/dev/null
}

# _thin_snap_columns prints the columns that a listing command has.
_thin_snap_columns() {
	thin-snap "$@" -o help 2>/dev/null | while read -r name _; do printf '%s\n' "$name"; done
}

_thin_snap() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local global='--debug --quiet --verbose --help'
	local listing='--no-headings --noheadings --parsable --json --columns'
	local sorting='--sort --sort-descending'
	local commands='pool create snapshot snap clone rename mv resize grow rollback revert delete rm run list ls tree show set get unset activate deactivate format trim recover'
	local pool_commands='create list ls show activate deactivate grow set delete rm check'
	local command='' word words='' volume='' i
	COMPREPLY=()

	# bash hands over --fs=x in three words
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-*) ;;
		*)
			[[ $word != */* ]] || volume=$word
			if [[ -z $command ]]; then
				command=$word
			elif [[ $command == pool ]]; then
				command="pool $word"
				break
			elif [[ $command == snap* || $command == clone ]]; then
				[[ $word != */* ]] || { command='snapshot NEW' && break; } # the origin is there
			elif [[ $command == rename || $command == mv ]]; then
				[[ $word != */* ]] || { command='rename NEW' && break; }
			else
				break
			fi
			;;
		esac
	done

	if [[ $command == run ]]; then
		for ((i = 1; i < COMP_CWORD; i++)); do # another program's words
			[[ ${COMP_WORDS[i]} != -- ]] || { compopt -o default 2>/dev/null && return; }
		done
		case $prev in
		-o | --options | --key) return ;;
		--snapshot-of) words=$(_thin_snap_list list) ;;
		esac
	fi

	case $prev in
	--data | --metadata)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "${cur:-/dev/}")
		return
		;;
	--dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--on-full) words='error queue' ;;
	--fs) words='ext2 ext3 ext4 xfs btrfs f2fs vfat exfat' ;;
	--size | --metadata-size | --block-size | --margin | --label | --filter | --name | --keep) return ;;
	-o | --columns | -s | -S | --sort | --sort-descending)
		case $command in
		pool*) words=$(_thin_snap_columns pool list) ;;
		*) words=$(_thin_snap_columns list) ;;
		esac
		if [[ $prev != -[sS] && $prev != --sort* && $cur == *,* ]]; then # a list
			local before=${cur%,*},
			words=$(for word in $words; do printf '%s\n' "$before$word"; done)
		fi
		;;
	esac
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi

	if [[ $cur == -* ]]; then
		case $command in
		'') words='--version' ;;
		'pool create') words='--data --metadata --dir --size --metadata-size --block-size --on-full --margin --force' ;;
		'pool list' | 'pool ls') words="$listing $sorting" ;;
		list | ls) words="$listing $sorting --filter" ;;
		'pool show' | show | get | tree) words=$listing ;;
		set | unset | rename* | mv | trim) words='--dry-run' ;;
		'pool deactivate') words='--all --unmount' ;;
		'pool grow') words='--size --metadata-size' ;;
		'pool delete' | 'pool rm') words='--recursive --dry-run --yes' ;;
		'pool check') words='--all --repair --yes --json' ;;
		create) words='--size --fs --label --if-not-exists --force' ;;
		snap* | clone) words='--size --grow-fs --read-only --if-not-exists --force' ;;
		resize | grow) words='--dry-run --force' ;;
		rollback | revert) words='--keep --discard --dry-run --yes --force' ;;
		delete | rm) words='--recursive --discard --no-discard --dry-run --yes' ;;
		format) words='--fs --label --force' ;;
		run) words='--snapshot-of --name --key --replace --ephemeral --keep-failed --chroot --options --force' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$words $global" -- "$cur")
		return
	fi

	case $command in
	'') words="$commands help" ;;
	tree) words="$(_thin_snap_list pool list) $(_thin_snap_list list)" ;;
	help) words=$commands ;;
	pool) words="$pool_commands help" ;;
	'pool help') words=$pool_commands ;;
	'pool show' | 'pool activate' | 'pool deactivate' | 'pool grow' | 'pool delete' | 'pool rm' | 'pool check' | list | ls | recover) words=$(_thin_snap_list pool list) ;;
	'pool set')
		words="margin= on-full=error on-full=queue freeze-limit= data= metadata= $(_thin_snap_list pool list)"
		[[ $cur != m* ]] || compopt -o nospace 2>/dev/null
		;;
	create | snapshot\ NEW | rename\ NEW)
		words=$(_thin_snap_list pool list)
		words=${words//$'\n'//$'\n'}${words:+/}
		compopt -o nospace 2>/dev/null
		;;
	set | get | unset)
		if [[ -z $volume ]]; then
			words=$(_thin_snap_list list)
		else
			words=$(thin-snap get -q "$volume" 2>/dev/null)
			[[ $command != get ]] || words+=" $(_thin_snap_columns list)"
		fi
		;;
	snapshot | snap | clone | rename | mv | resize | grow | rollback | revert | delete | rm | run | show | activate | deactivate | format | trim) words=$(_thin_snap_list list) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _thin_snap thin-snap
