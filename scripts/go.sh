# Sourced by the other scripts: finds a Go that can build Causa.
# shellcheck shell=bash

# The version go.mod asks for; a Go from 1.21 on fetches it by itself.
go_wanted=$(sed -n 's/^go //p' go.mod)

export GOTOOLCHAIN=${GOTOOLCHAIN:-auto}
export PATH="$PWD/.cache/go/bin:$PATH:/usr/local/go/bin"

# go_look adds the versioned folders that Debian and Ubuntu keep beside the default.
go_look() {
	local dir
	for dir in /usr/lib/go-1.*/bin; do
		if [ -x "$dir/go" ] && [[ ":$PATH:" != *":$dir:"* ]]; then
			PATH="$PATH:$dir"
		fi
	done
	hash -r
}

# go_usable succeeds when the go on PATH builds this module, after fetching the version
# that go.mod names if it must.
go_usable() {
	local dir
	go_look
	for dir in ${PATH//:/ }; do
		[ -x "$dir/go" ] || continue
		"$dir/go" env GOVERSION 2>/dev/null | grep -Eq '^go1\.(2[1-9]|[3-9][0-9])' || continue
		[ "$(command -v go)" = "$dir/go" ] || go_keep "$("$dir/go" env GOROOT)"
		return 0
	done
	return 1
}

# go_keep makes the Go in folder $1 the one that the Makefile finds first.
go_keep() {
	mkdir -p .cache
	ln -sfn "$1" .cache/go
	hash -r
}

# go_bootstrap lets a Go from before 1.21 fetch the wanted version as the module that
# newer ones fetch it as; the checksum database vouches for it in the same way.
go_bootstrap() {
	local version=$go_wanted arch dir said
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) return 1 ;;
	esac
	echo "Fetching Go $version ..."
	# An empty module: ours is written in a syntax that the old Go can't read.
	dir=$(mktemp -d)
	printf 'module bootstrap\n' >"$dir/go.mod"
	said=$(cd "$dir" && GOFLAGS='' GO111MODULE=on go mod download -json \
		"golang.org/toolchain@v0.0.1-go$version.linux-$arch" 2>&1)
	dir=$(sed -n 's/.*"Dir": "\(.*\)",*/\1/p' <<<"$said")
	if [ -z "$dir" ] || ! [ -f "$dir/bin/go" ]; then
		printf '%s\n' "$said" >&2
		return 1
	fi
	# Modules carry no permission bits, and the module cache is read-only.
	chmod u+w "$dir" "$dir/bin" "$dir/pkg/tool/linux_$arch"
	chmod 755 "$dir"/bin/* "$dir/pkg/tool/linux_$arch"/*
	go_keep "$dir"
}
