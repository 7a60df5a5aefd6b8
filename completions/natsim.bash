# Completion of natsim for bash. Names of models, topologies and suites come from natsim itself.

_natsim_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# The words of "$1 --names", where $1 is models or topologies.
_natsim_names() {
	"${COMP_WORDS[0]}" "$1" --names 2>/dev/null
}

# How many operands stand before the word: 0 where the topology of exec and plan goes.
_natsim_operands() {
	local i operands=0
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--nat) i=$((i + 3)) ;; # ROLE=MODEL is three words, for bash breaks them at "="
		--link | --seed | --pcap) i=$((i + 1)) ;;
		-*) ;;
		*) operands=$((operands + 1)) ;;
		esac
	done
	echo $operands
}

_natsim() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]:-}
	local verbs='run classify models model topologies exec plan replay bench help'
	COMPREPLY=()

	if [ "$COMP_CWORD" = 1 ]; then
		_natsim_words "$verbs --version" "$cur"
		return
	fi
	# Behind "--" stands a command of the user's.
	if [ "$prev" = -- ]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		return
	elif [[ " ${COMP_WORDS[*]:2:COMP_CWORD-2} " == *' -- '* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -W --with -- "$cur")
		return
	fi
	case $prev in
	--nat)
		_natsim_words "a= b=" "$cur"
		compopt -o nospace
		return
		;;
	--out | --pcap)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--world)
		_natsim_words "lab twin" "$cur"
		return
		;;
	--link | --only | --trials | --seed | -j) return ;;
	esac
	if [ "$prev" = = ] || [ "$cur" = = ]; then
		_natsim_words "$(_natsim_names models)" "${cur#=}"
		return
	fi
	case $verb:$cur in
	run:-*) _natsim_words '--only --trials --seed --world -j --out' "$cur" ;;
	classify:-*) _natsim_words '--all --card --quick --json --seed --world -j' "$cur" ;;
	models:-*) _natsim_words '--names --json --markdown' "$cur" ;;
	topologies:-*) _natsim_words '--names --json' "$cur" ;;
	model:-*) _natsim_words '--json --nft' "$cur" ;;
	exec:-*) _natsim_words '--nat --link --with --tables --pcap --seed --' "$cur" ;;
	plan:-*) _natsim_words '--nat --script' "$cur" ;;
	replay:-*) _natsim_words '--print' "$cur" ;;
	bench:-*) _natsim_words '--json' "$cur" ;;
	run:*) mapfile -t COMPREPLY < <(compgen -W 'all loss population strategies' -- "$cur"; compgen -f -X '!*.yaml' -- "$cur") ;;
	classify:*) _natsim_words "$(_natsim_names models)" "$cur" ;;
	model:*)
		if [ "$prev" = model ]; then
			_natsim_words show "$cur"
		else
			_natsim_words "$(_natsim_names models)" "$cur"
		fi
		;;
	exec:* | plan:*)
		[ "$(_natsim_operands)" != 0 ] || _natsim_words "$(_natsim_names topologies)" "$cur"
		;;
	replay:*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	help:*) _natsim_words "$verbs" "$cur" ;;
	esac
}

complete -F _natsim natsim
