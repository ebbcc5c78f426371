#!/usr/bin/env bash
# Installs what a Debian or Ubuntu machine lacks to build (and test) Causa, and says what.
#
#   scripts/deps.sh build        compiler, headers, Go
#   scripts/deps.sh build test   also a display without a screen, mingw-w64, a Chinese font, PostgreSQL
#
# Does nothing, quickly, where all is there. Elsewhere than on Debian it only tells.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/go.sh
. scripts/go.sh

# The tags x11 and gles (see the Makefile) keep this list short: no Wayland, no desktop GL.
build=(gcc libc6-dev make git ca-certificates pkg-config
	libgl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev)
# A window needs a driver that can draw it; without a graphics card Mesa does it in software.
build+=(libgl1-mesa-dri)
test=(xvfb openbox xdotool xclip imagemagick fonts-noto-cjk gcc-mingw-w64-x86-64 postgresql)
# What somebody who writes Chinese has: an input method with its dictionary, and a message bus.
test+=(fcitx5 fcitx5-chinese-addons fcitx5-module-chttrans fcitx5-module-fullwidth fcitx5-module-pinyinhelper
	libime-bin libime-data dbus dbus-x11)

say() { printf '%s\n' "$*"; }

root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "Causa needs '$*' to be run by an administrator, and there is no sudo here." >&2
		return 1
	fi
}

# missing prints those of its arguments that are not installed.
missing() {
	local installed name
	# Packages that provide another (pkgconf for pkg-config) count as that other.
	installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides}\n' 2>/dev/null |
		sed -n 's/^ii *//p' | tr ',' '\n' | sed 's/(.*//; s/[[:space:]]//g' | sort -u)
	for name in "$@"; do
		grep -qxF -- "$name" <<<"$installed" || printf '%s\n' "$name"
	done
}

updated=no
install() {
	if [ "$updated" = no ]; then
		say "Refreshing the list of packages ..."
		root apt-get -q -o Acquire::Retries=3 update >/dev/null ||
			say "The list of packages could not be refreshed; trying with the old one." >&2
		updated=yes
	fi
	say "Installing: $*"
	root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "$@" </dev/null >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		say "These packages could not be installed: $*" >&2
		return 1
	}
}

want=()
for set in "$@"; do
	case $set in
	build) want+=("${build[@]}") ;;
	test) want+=("${test[@]}") ;;
	*)
		say "usage: scripts/deps.sh build [test]" >&2
		exit 2
		;;
	esac
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
	mapfile -t lacking < <(missing "${want[@]}")
	if [ ${#lacking[@]} -gt 0 ]; then
		install "${lacking[@]}"
	fi
else
	for tool in gcc pkg-config git; do
		command -v "$tool" >/dev/null && continue
		say "This is not Debian or Ubuntu, so nothing is installed here: please install what these are called on your system:" >&2
		say "  ${want[*]}" >&2
		exit 1
	done
fi

go_usable && exit 0

# No Go, or one from before toolchains could be fetched by version (1.21).
say "There is no Go 1.21 or newer on this machine (Causa is written in Go $go_wanted)."
if command -v apt-get >/dev/null; then
	if ! command -v go >/dev/null; then
		candidates=$(apt-cache pkgnames golang-1. 2>/dev/null |
			sed -n 's/^\(golang-1\.[0-9]*\)-go$/\1/p' | sort -t. -k2 -n | tail -n 1)
		install "${candidates:-golang}-go"
	fi
	go_usable && exit 0
	go_bootstrap && go_usable && exit 0
fi
say "Please install Go $go_wanted from your system's packages or from the Go project's download page, and run this again." >&2
exit 1
