#!/bin/sh
# Runs one of the project's TypeScript programs on the Node that package-lock.json pins, whatever Node the machine has.
# Installs the dependencies first when they are missing or older than the lock file, so that one command is enough in a fresh clone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
stamp="$root/node_modules/.installed-lock"

if ! cmp -s "$root/package-lock.json" "$stamp"; then
  command -v npm >/dev/null || { echo "npm is not on the PATH. Install Node.js 20 or later (https://nodejs.org), then run this again." >&2; exit 1; }
  echo "Installing the pinned npm packages (about a minute the first time) ..." >&2
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  # The npm package "node" brings the runtime by an install script; it is the only script that may run.
  (cd "$root" && npm rebuild node --ignore-scripts=false --loglevel=error >/dev/null)
  cp "$root/package-lock.json" "$stamp"
fi

PATH="$root/node_modules/.bin:$PATH"
export PATH
program=$1
shift
cd "$root"
exec node --disable-warning=ExperimentalWarning "$program" "$@"
