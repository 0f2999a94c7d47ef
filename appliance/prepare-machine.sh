#!/bin/sh
# Makes a machine ready to run Relay from a checkout: its npm packages (Node 24 among them), redis-server, and what the tests use.
#   --observe   Prometheus and the exporters of machine and Redis as well
#   --test      what the tests need as well: the same, Alertmanager, nft, whiptail, age, rsyslog with TLS, SoftHSM and OpenSC
# Does nothing where nothing is missing. Needs some Node with npm to begin with; asks for sudo only when not root.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

programs='redis-server:redis-server openssl:openssl curl:curl strace:strace ip:iproute2'
observers='prometheus:prometheus prometheus-node-exporter:prometheus-node-exporter prometheus-redis-exporter:prometheus-redis-exporter'
case "${1-}" in
  '') ;;
  --observe) programs="$programs $observers" ;;
  --test) programs="$programs $observers amtool:prometheus-alertmanager nft:nftables whiptail:whiptail age:age rsyslogd:rsyslog"
    programs="$programs softhsm2-util:softhsm2 pkcs11-tool:opensc strings:binutils" ;;
  *)
    say "prepare-machine.sh does not know $1: it takes --observe, --test, or nothing."
    exit 2
    ;;
esac

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
for program in $programs; do
  has "${program%%:*}" || missing="$missing ${program##*:}"
done
# A module of a program that may be there without it.
if [ "${1-}" = --test ] && ! ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1; then missing="$missing rsyslog-gnutls"; fi
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
# Only the programs are wanted: Relay starts its own, with its own settings. So no service of a package that comes now may start, neither at its
# installation nor at the next boot: under systemd they are masked until everything is installed and then left disabled, elsewhere runlevel 1 starts none.
services=
for package in $missing; do
  case "$package" in redis-server | prometheus* | rsyslog) services="$services $package" ;; esac
done
has_systemd() { [ -d /run/systemd/system ] && [ -n "$services" ]; }
release_services() {
  if has_systemd; then
    $as_root systemctl --quiet unmask $services >&2 || true
    $as_root systemctl --quiet disable $services >&2 || true
  fi
}
trap release_services EXIT
trap 'exit 130' INT TERM
if has_systemd; then $as_root systemctl --quiet mask $services >&2; fi
if ! { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing; } >&2; then
  say "The packages could not be installed. As root: apt-get update && apt-get install$missing"
  exit 1
fi
