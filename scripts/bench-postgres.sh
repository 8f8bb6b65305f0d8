#!/usr/bin/env bash
# The transfer of the wallet as one SQL transaction in PostgreSQL, with the durability that it comes with: prints transfers a second.
#   scripts/bench-postgres.sh [CLIENTS] [SECONDS] [ACCOUNTS]
# A server of its own in a folder of its own, over a Unix socket; both are gone at the end.
set -euo pipefail

clients=${1:-64}
seconds=${2:-10}
accounts=${3:-64}
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
if ! [ -x "$bin/initdb" ] || ! [ -x "$bin/pgbench" ]; then
  echo "no PostgreSQL here: apt-get install postgresql" >&2
  exit 3
fi

dir=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL does not run as root.
  chown postgres "$dir"
  as=(setpriv --reuid postgres --regid postgres --clear-groups env -C "$dir" HOME="$dir")
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap stop EXIT

"${as[@]}" "$bin/initdb" -D "$dir/data" -U bench --auth=trust >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=$((clients + 8))" start >/dev/null
run_sql() { "${as[@]}" "$bin/psql" -h "$dir" -U bench -q -v ON_ERROR_STOP=1 postgres; }

# What the wallet keeps of a transfer: the two accounts with their sums, the entry, its place in both histories, the signed order, and the
# counter of the payer's key.
run_sql <<SQL
create table accounts (id int primary key, debits numeric(39) not null default 0, credits numeric(39) not null default 0,
  check (debits <= credits));
create table entries (number bigserial primary key, id uuid not null unique, debit int not null references accounts,
  credit int not null references accounts, amount bigint not null check (amount > 0), at timestamptz not null default now());
create table history (account int not null, number bigint not null, primary key (account, number));
create table orders (id uuid primary key, signed bytea not null);
create table keys (account int primary key, counter bigint not null default 0);
insert into accounts select n, 0, 1000000000 from generate_series(1, $accounts) n;
insert into keys select n from generate_series(1, $accounts) n;
create procedure transfer(payer int, payee int, sum bigint, signed bytea) language plpgsql as \$\$
declare
  transfer uuid := gen_random_uuid();
  event bigint;
begin
  -- In one order, so that two transfers that go opposite ways do not wait for one another for ever.
  perform 1 from accounts where id in (payer, payee) order by id for update;
  update keys set counter = counter + 1 where account = payer;
  update accounts set debits = debits + sum where id = payer;
  update accounts set credits = credits + sum where id = payee;
  insert into entries (id, debit, credit, amount) values (transfer, payer, payee, sum) returning number into event;
  insert into history values (payer, event), (payee, event);
  insert into orders values (transfer, signed);
end \$\$;
vacuum analyze;
SQL
cat > "$dir/transfer.sql" <<SQL
\\set payer random(1, $accounts)
\\set step random(1, $accounts - 1)
\\set payee (:payer + :step - 1) % $accounts + 1
call transfer(:payer, :payee, 1, decode(repeat('ab', 300), 'hex'));
SQL
"${as[@]}" "$bin/pgbench" -h "$dir" -U bench -n -M prepared -c "$clients" -j 2 -T "$seconds" -f "$dir/transfer.sql" postgres 2>/dev/null |
  sed -n 's/^tps = \([0-9.]*\).*/\1/p'
