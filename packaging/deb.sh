#!/usr/bin/env bash
# Makes dist/causa-hub_VERSION_ARCH.deb from a built causa-hub. Debian's dpkg-deb is all
# it needs. The same sources and the same SOURCE_DATE_EPOCH give the same package.
#
#	packaging/deb.sh bin/causa-hub
set -euo pipefail
cd "$(dirname "$0")/.."
hub=$1

version=$(sed -n 's/^ *Version *= *"\(.*\)"/\1/p' FyneApp.toml)
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
# The oldest C library that has everything the program asks for.
libc=$(objdump -T "$hub" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
install -D -m 755 "$hub" "$root/usr/bin/causa-hub"
install -D -m 644 packaging/causa-hub.service "$root/lib/systemd/system/causa-hub.service"
install -D -m 644 docs/hub.md "$root/usr/share/doc/causa-hub/hub.md"
install -D -m 644 LICENSE "$root/usr/share/doc/causa-hub/copyright"
install -d -m 755 "$root/etc/causa-hub"
"$hub" config | sed 's|^# data = .*|data = "/var/lib/causa-hub"|' >"$root/etc/causa-hub/hub.toml"
chmod 644 "$root/etc/causa-hub/hub.toml"
grep -q '^data = "/var/lib/causa-hub"$' "$root/etc/causa-hub/hub.toml"

install -d -m 755 "$root/DEBIAN"
install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$root/DEBIAN/"
echo /etc/causa-hub/hub.toml >"$root/DEBIAN/conffiles"
(cd "$root" && find usr lib -type f | LC_ALL=C sort | xargs md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<EOF
Package: causa-hub
Version: $version
Architecture: $arch
Maintainer: Causa <causa-hub@localhost>
Section: net
Priority: optional
Depends: adduser, libc6 (>= ${libc#GLIBC_})
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: server of one organisation for the Causa messenger
 Causa is a messenger for companies that talk in matters, end-to-end encrypted.
 The hub puts messages in order and keeps them until every device has them; it
 cannot read them.
EOF
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p dist
dpkg-deb --root-owner-group -Zxz --build "$root" "dist/causa-hub_${version}_${arch}.deb"
