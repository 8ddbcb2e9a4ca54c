#!/usr/bin/env bash
# Runs once, on an empty volume, as the superuser: Durum's own role is an ordinary one, so that row security binds it.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname template1 --command 'CREATE EXTENSION IF NOT EXISTS vector'
psql --set ON_ERROR_STOP=1 --set password="$DURUM_DB_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE durum LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS NOCREATEROLE;
CREATE DATABASE durum OWNER durum;
SQL
