#!/bin/sh
# Runs once, when the database's volume is new: an account for the server that is no superuser, and who may come in.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<'SQL'
CREATE ROLE imageserver LOGIN CREATEDB; -- CREATEDB: the tests bring up a database of their own
CREATE DATABASE imageserver OWNER imageserver;
SQL

# Whoever reaches the socket (the container web-server) may be imageserver; only the system's user postgres, in the
# container of the database, may be its superuser.
cat >"$PGDATA/pg_hba.conf" <<'RULES'
local  all          postgres     peer
local  all          imageserver  trust
RULES
