#!/bin/sh
# The image's one command: linli api | worker | migrate, and the two questions the health checks ask.
# Each is exec'd, so that the signals of the container reach it.
set -eu

usage() {
    cat >&2 <<'USAGE'
Usage: linli COMMAND

  api           serve HTTP on LINLI_HTTP_HOST (0.0.0.0) and LINLI_HTTP_PORT (8000)
  worker        serve the task queue
  migrate       bring the database to the newest schema, then end
  api-alive     exit 0 when the API of this container answers
  worker-alive  exit 0 when the worker of this container polls its task queue
USAGE
    exit 2
}

[ $# -eq 1 ] || usage
cd "${LINLI_ROOT:-/app}"
export PYTHONPATH="$PWD"
# -P keeps the folder of a script off the module path.
case $1 in
    api) exec python -P docker/serve_api.py ;;
    worker) exec python -P worker.py ;;
    migrate) exec python -P -m store.migrate ;;
    api-alive)
        exec python -I -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=4)' \
            "http://127.0.0.1:${LINLI_HTTP_PORT:-8000}/healthz"
        ;;
    worker-alive) exec python -P docker/worker_alive.py ;;
    *) usage ;;
esac
