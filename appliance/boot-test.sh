#!/bin/sh
# Boots the appliance's image under software emulation and sees that it does what it must. Takes 30 to 60 minutes for everything.
set -eu
cd "$(dirname "$0")/.."

missing=
while read -r program package; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $package"
done <<'PROGRAMS'
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
swtpm swtpm
genisoimage genisoimage
ssh openssh-client
ip iproute2
ss iproute2
PROGRAMS
[ -e /usr/share/OVMF/OVMF_CODE_4M.secboot.fd ] || missing="$missing ovmf"
if [ -n "$missing" ]; then
  printf 'boot-test.sh: this machine needs: apt-get install%s\n' "$missing" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  printf 'boot-test.sh: must be run as root: the machine under test and this one get a network between them.\n' >&2
  exit 1
fi
sh appliance/prepare-machine.sh

# Without --image, the youngest one in appliance/out; it is built when there is none.
named=
for argument; do case "$argument" in --image | --image=* | --help | -h) named=yes ;; esac; done
if [ -z "$named" ]; then
  image=$(ls -t appliance/out/relay-*.qcow2 2>/dev/null | head -n 1)
  if [ -z "$image" ]; then
    appliance/build.sh
    image=$(ls -t appliance/out/relay-*.qcow2 | head -n 1)
  fi
  set -- --image "$image" "$@"
fi
exec node_modules/.bin/node appliance/boot-test/main.ts "$@"
