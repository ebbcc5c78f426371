#!/usr/bin/env bash
# Runs every test. `make test` calls it with the packages that run under the race
# detector ($1) and the screens, which run without cgo ($2).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/go.sh
. scripts/go.sh
# shellcheck source=scripts/steps.sh
. scripts/steps.sh

read -ra race <<<"$1"
read -ra screens <<<"$2"
mapfile -t scripts < <(go list ./e2e/...)
mapfile -t rest < <(go list ./... | grep -vxFf <(go list "${race[@]}" "${screens[@]}" ./e2e/...))

screens() { CGO_ENABLED=0 go test -timeout 15m -tags test "${screens[@]}"; }

step 'tests without the race detector' go test -timeout 20m "${rest[@]}"
step 'tests under the race detector' go test -timeout 30m -race "${race[@]}"
step 'screens' screens
# Alone on the machine and last: real processes with real clocks.
step 'real programs against a real hub' go test -timeout 30m -p 1 "${scripts[@]}"
steps_end
