#!/bin/sh
# Makes a machine ready to run Relay from a checkout: its npm packages (Node 24 among them), redis-server, and what the tests use.
# Does nothing where nothing is missing. Needs some Node with npm to begin with; asks for sudo only when not root.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

if ! has npm; then
  say 'Relay needs npm, which comes with Node.js (any version that still runs). Install it, for example: sudo apt-get install npm'
  exit 1
fi

lock=node_modules/.package-lock.json
if [ ! -e "$lock" ] || [ package-lock.json -nt "$lock" ] || ! node_modules/.bin/node --version >/dev/null 2>&1; then
  say 'Installing npm packages ...'
  if ! npm ci --no-audit --no-fund --loglevel=error >&2; then
    say 'The npm packages could not be installed. Check that the npm registry can be reached (npm config get registry), then run this again.'
    exit 1
  fi
fi

# The command `relay`, for whoever has node_modules/.bin in the PATH.
ln -sf ../../src/main.ts node_modules/.bin/relay

missing=
for program in redis-server:redis-server openssl:openssl curl:curl strace:strace ip:iproute2; do
  has "${program%%:*}" || missing="$missing ${program##*:}"
done
[ -n "$missing" ] || exit 0

if ! has apt-get; then
  say "These programs are missing:$missing. Install them with this system's packages (redis-server 6.2 or later), then run this again."
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! has sudo; then
    say "These packages are missing:$missing. As root: apt-get install$missing"
    exit 1
  fi
  as_root=sudo
fi
say "Installing system packages:$missing ..."
# Only redis-server's program is wanted: Relay starts its own with its own settings.
if ! { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing; } >&2; then
  say "The packages could not be installed. As root: apt-get update && apt-get install$missing"
  exit 1
fi
