#!/usr/bin/env bash
# What `make check` asks beside the tests. Tools are pinned in tools/go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/go.sh
. scripts/go.sh
# shellcheck source=scripts/steps.sh
. scripts/steps.sh

tool() { go tool -modfile=tools/go.mod "$@"; }

# Generated code must be what the tree's own generator makes of the tree's own source.
generated() {
	local fresh code=0
	fresh=$(mktemp -d)
	tool buf generate -o "$fresh" && diff -r wire/pb "$fresh/wire/pb" || code=$?
	rm -rf "$fresh"
	[ "$code" = 0 ] || echo 'wire/pb is not what wire/causa.proto generates: run make generate' >&2
	return "$code"
}

protocol() {
	tool buf lint &&
		tool buf format --diff --exit-code &&
		tool buf breaking --against wire/released.binpb
}

lint() { tool golangci-lint run --timeout 20m; }
lint_tools() { (cd tools && go tool golangci-lint run --timeout 20m --config ../.golangci.yml); }
# Not for tools/go.mod: tidying it asks for what the tools' own tests need.
tidy() { go mod tidy -diff; }
cross() { (cd tools && go run ./crossvet ..); }
windows() { make --no-print-directory windows; }

step 'generated code is current' generated
step 'the protocol keeps its promises' protocol
step 'go.mod is tidy' tidy
step 'linters' lint
step 'linters on the tools' lint_tools
step 'vet for Android, macOS, Windows' cross
step 'Windows build' windows
step 'short fuzzing' bash scripts/fuzz.sh "${FUZZTIME:-5s}"
steps_end
