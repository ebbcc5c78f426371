#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given (default 10s).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/go.sh
. scripts/go.sh

time=${1:-10s}
mapfile -t targets < <(git ls-files --cached --others --exclude-standard '*_test.go' |
	xargs grep -Ho '^func Fuzz[A-Za-z0-9_]*' | sed 's/\/[^/]*:func /:/' | sort)
if [ ${#targets[@]} = 0 ]; then
	echo "there is no fuzz target in this tree" >&2
	exit 1
fi

failed=0
for target in "${targets[@]}"; do
	# -run matches nothing else: the seeds of the others ran in `make test`. When the time
	# is up, go test sometimes calls its own deadline a failure; one without a failing input
	# is none, and the target is run again.
	for try in 1 2 3; do
		ok=yes
		out=$(go test -run '^$' -fuzz "^${target#*:}\$" -fuzztime "$time" -fuzzminimizetime 5x "./${target%:*}" 2>&1) || ok=no
		if [ "$ok" = yes ] || [ "$try" = 3 ] || ! grep -q 'context deadline exceeded' <<<"$out" || grep -q 'Failing input' <<<"$out"; then
			break
		fi
	done
	if [ "$ok" = no ]; then
		printf '%s\n' "$out"
		failed=1
	fi
	printf '%-52s %s\n' "$target" "$(tail -n 1 <<<"$out")"
done
printf '%d fuzz targets, %s each\n' "${#targets[@]}" "$time"
exit "$failed"
