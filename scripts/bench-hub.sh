#!/usr/bin/env bash
# Measures the hub on this machine: on SQLite, on a PostgreSQL of its own, and with
# PEERS=1 beside an ejabberd that keeps its archive in that PostgreSQL.
#
#   scripts/bench-hub.sh [arguments of internal/benchhub]
#
# Everything listens on 127.0.0.1 or on sockets in a temporary folder, and ends with the
# script.
set -euo pipefail
cd "$(dirname "$0")/.."
PEERS=${PEERS:-}

root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install() {
	echo "Installing: $*"
	root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" >/dev/null
}

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ]; then
	install postgresql
	bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
fi
if [ -n "$PEERS" ] && [ -z "$(ls -d /usr/lib/*/ejabberd-*/ebin 2>/dev/null)" ]; then
	install ejabberd erlang-p1-pgsql
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/bench-hub.XXXXXX")
pg= xmpp=
end() {
	for pid in $xmpp $pg; do
		kill "$pid" 2>/dev/null || true
		for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
		kill -9 "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap end EXIT

# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
mkdir "$dir/pg"
[ ${#as[@]} = 0 ] || { chown postgres "$dir/pg"; chmod 755 "$dir"; }
"${as[@]}" env HOME="$dir/pg" "$bin/initdb" -D "$dir/pg/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
port=$((20000 + $$ % 20000))
"${as[@]}" "$bin/postgres" -D "$dir/pg/data" -k "$dir/pg" -p "$port" -c listen_addresses=127.0.0.1 \
	-c synchronous_commit=on -c fsync=on -c shared_buffers=256MB -c max_wal_size=2GB >"$dir/pg.log" 2>&1 &
for _ in $(seq 100); do "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres && break; sleep 0.1; done
pg=$(head -1 "$dir/pg/data/postmaster.pid")
url="postgres://postgres@127.0.0.1:$port"
psql -q "$url/postgres" -c 'CREATE DATABASE hub' -c 'CREATE DATABASE ejabberd'

args=(-database "$url/hub" -database-pid "$pg")
if [ -n "$PEERS" ]; then
	ebin=$(ls -d /usr/lib/*/ejabberd-*/ebin | tail -1)
	psql -q "$url/ejabberd" -f "$(dpkg -L ejabberd | grep '/sql/pg.sql$')" >/dev/null 2>&1
	xport=$((port + 1))
	mkdir "$dir/ejabberd"
	# Every message is in the archive, in PostgreSQL, before it counts; no TLS, no limits.
	cat >"$dir/ejabberd/ejabberd.yml" <<-YML
		hosts: [localhost]
		loglevel: error
		listen:
		  - {port: $xport, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none, max_stanza_size: 65536, starttls: false}
		auth_method: internal
		registration_timeout: infinity
		default_db: sql
		sql_type: pgsql
		sql_server: "127.0.0.1"
		sql_port: $port
		sql_database: ejabberd
		sql_username: postgres
		sql_password: ""
		sql_pool_size: 16
		modules:
		  mod_disco: {}
		  mod_roster: {db_type: mnesia}
		  mod_private: {db_type: mnesia}
		  mod_last: {db_type: mnesia}
		  mod_register: {access: all, ip_access: all, password_strength: 0}
		  mod_mam: {db_type: sql, default: always, assume_mam_usage: true, cache_size: 100000, request_activates_archiving: false}
		  mod_muc:
		    access: all
		    access_create: all
		    access_persistent: all
		    db_type: mnesia
		    history_size: 0
		    max_users: 1000
		    min_message_interval: 0
		    min_presence_interval: 0
		    default_room_options: {mam: true, persistent: true, anonymous: false}
	YML
	EJABBERD_CONFIG_PATH="$dir/ejabberd/ejabberd.yml" EJABBERD_LOG_PATH="$dir/ejabberd/log" SPOOL_DIR="$dir/ejabberd" HOME="$dir/ejabberd" \
		erl -noinput -sname "bench$$@localhost" -start_epmd false -erl_epmd_port $((port + 2)) -pa "$ebin" -mnesia dir "\"$dir/ejabberd/spool\"" \
		+K true +P 250000 -s ejabberd >"$dir/ejabberd/out" 2>&1 &
	xmpp=$!
	for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$xport") 2>/dev/null && break; sleep 0.1; done
	args+=(-xmpp "127.0.0.1:$xport" -xmpp-pid "$xmpp")
fi
go run ./internal/benchhub -engines sqlite,postgres "${args[@]}" "$@"
