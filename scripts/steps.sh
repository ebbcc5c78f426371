# Sourced by the other scripts: runs named steps, says how long each took, and goes on
# after a failure so that one run tells everything that is wrong.
# shellcheck shell=bash

steps_failed=()

# step NAME COMMAND [ARGUMENT...] runs one step.
step() {
	local name=$1 began=$SECONDS code=0
	shift
	printf '\n=== %s\n' "$name"
	"$@" || code=$?
	if [ "$code" = 0 ]; then
		printf '=== %s: ok, %d s\n' "$name" $((SECONDS - began))
	else
		printf '=== %s: FAILED (%d), %d s\n' "$name" "$code" $((SECONDS - began))
		steps_failed+=("$name")
	fi
}

# steps_end fails when a step did.
steps_end() {
	if [ ${#steps_failed[@]} = 0 ]; then
		return 0
	fi
	local name
	echo
	for name in "${steps_failed[@]}"; do
		printf 'failed: %s\n' "$name"
	done
	return 1
}
