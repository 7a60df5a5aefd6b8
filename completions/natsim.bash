# Completion of natsim for bash. Names of models, topologies and suites come from natsim itself.

_natsim_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# The words of "$1 --names", where $1 is models or topologies.
_natsim_names() {
	"${COMP_WORDS[0]}" "$1" --names 2>/dev/null
}

# The verb's first argument that is no option: the topology of exec and plan.
_natsim_position() {
	local i position=0
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--nat | --link | --only | --trials | --seed | -j | --out) ((i++)) ;;
		-*) ;;
		*) ((position++)) ;;
		esac
	done
	echo $position
}

_natsim() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]:-}
	local verbs='run classify models model topologies exec plan bench help'
	COMPREPLY=()

	if [ "$COMP_CWORD" = 1 ]; then
		_natsim_words "$verbs --version" "$cur"
		return
	fi
	# Behind "--" stands a command of the user's.
	if [[ " ${COMP_WORDS[*]:2:COMP_CWORD-2} " == *' -- '* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
		return
	fi
	case $prev in
	--nat)
		_natsim_words "a= b=" "$cur"
		compopt -o nospace
		return
		;;
	--out)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--link | --only | --trials | --seed | -j) return ;;
	esac
	# --nat a=MODEL is three words, for bash breaks words at "=".
	if [ "$prev" = = ] || [ "$cur" = = ]; then
		_natsim_words "$(_natsim_names models)" "${cur#=}"
		return
	fi
	case $verb:$cur in
	run:-*) _natsim_words '--only --trials --seed -j --out' "$cur" ;;
	classify:-*) _natsim_words '--all --json' "$cur" ;;
	models:-* | topologies:-*) _natsim_words '--names --json' "$cur" ;;
	model:-*) _natsim_words '--nft' "$cur" ;;
	exec:-*) _natsim_words '--nat --link --with --tables --' "$cur" ;;
	plan:-*) _natsim_words '--nat --script' "$cur" ;;
	run:*) mapfile -t COMPREPLY < <(compgen -W all -- "$cur"; compgen -f -X '!*.yaml' -- "$cur") ;;
	classify:*) _natsim_words "$(_natsim_names models)" "$cur" ;;
	model:*)
		if [ "$prev" = model ]; then
			_natsim_words show "$cur"
		else
			_natsim_words "$(_natsim_names models)" "$cur"
		fi
		;;
	exec:* | plan:*)
		[ "$(_natsim_position)" != 0 ] || _natsim_words "$(_natsim_names topologies)" "$cur"
		;;
	help:*) _natsim_words "$verbs" "$cur" ;;
	esac
}

complete -F _natsim natsim
