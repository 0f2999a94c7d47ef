#!/bin/sh
# Called by mmdebstrap with the image's root, before most packages are set up: what they ask for at that time.
set -eu
root=$1
mkdir -p "$root/etc/initramfs-tools/conf.d"
# No swap to resume from; a small and quick initrd, which checks the system's file system after a power cut.
printf 'RESUME=none\nCOMPRESS=zstd\nFSTYPE=ext4\n' >"$root/etc/initramfs-tools/conf.d/relay"
# Updates of the boot loader also go to the place where any firmware looks, and leave the firmware's own list alone.
chroot "$root" debconf-set-selections <<'SELECTIONS'
grub-efi-amd64 grub2/force_efi_extra_removable boolean true
grub-efi-amd64-signed grub2/force_efi_extra_removable boolean true
grub-efi-amd64 grub2/update_nvram boolean false
grub-efi-amd64-signed grub2/update_nvram boolean false
SELECTIONS
