#!/bin/bash
# Builds the appliance: one disk image that boots with BIOS, UEFI and Secure Boot, and beside it what is in it.
# Needs neither loop devices nor a virtual machine: the file systems are made as files and put together.
set -euo pipefail
umask 022

usage() {
  cat <<'HELP'
usage: build.sh [options] [format ...]

formats: qcow2 (unless others are named), vhdx, vmdk, ova

  --out <folder>            where the results go; appliance/out unless named
  --kernel generic|cloud    Debian's kernel for all hardware (default), or the smaller one for virtual machines: Hyper-V, virtio, vmxnet3, PVSCSI
  --disk <GiB>              size of the virtual disk, 32 unless named: 8 for the system, the rest for data; it takes only the space it uses
  --mirror <url>            Debian's mirror for the build; this machine's unless named
  --security-mirror <url>   the same for security updates
  --image-mirror <url>      Debian's mirror that the image takes its updates from; that of the build unless named
  --image-security-mirror <url>  the same for security updates
  --release-key <pem>       public key by which the image trusts upgrades; may be given several times
  --ssh-key <file>          public key of the administrator ops, for an image that needs no answers for it
  --dirty                   build from the working tree, uncommitted changes included (for development)

The same commit and the same Debian packages give the same files: compare-builds.sh says so of two builds.
HELP
}
say() { printf '%4ds  %s\n' "$((SECONDS - began))" "$*" >&2; }
fail() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}
value_of() { [ -n "${2:-}" ] || { printf 'build.sh: %s needs a value\n' "$1" >&2; exit 2; }; printf '%s' "$2"; }

began=$SECONDS
here=$(cd "$(dirname "$0")" && pwd)
out=$here/out kernel=generic disk_gib=32 mirror='' security_mirror='' image_mirror='' image_security_mirror='' dirty=''
formats=() release_keys=() ssh_keys=()
while [ $# -gt 0 ]; do
  case "$1" in
    --out) out=$(value_of "$@"); shift ;;
    --kernel) kernel=$(value_of "$@"); shift ;;
    --disk) disk_gib=$(value_of "$@"); shift ;;
    --mirror) mirror=$(value_of "$@"); shift ;;
    --security-mirror) security_mirror=$(value_of "$@"); shift ;;
    --image-mirror) image_mirror=$(value_of "$@"); shift ;;
    --image-security-mirror) image_security_mirror=$(value_of "$@"); shift ;;
    --release-key) release_keys+=("$(realpath "$(value_of "$@")")"); shift ;;
    --ssh-key) ssh_keys+=("$(realpath "$(value_of "$@")")"); shift ;;
    --dirty) dirty=--dirty ;;
    --help | -h) usage; exit 0 ;;
    qcow2 | vhdx | vmdk | ova) formats+=("$1") ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ ${#formats[@]} -gt 0 ] || formats=(qcow2)
case "$kernel" in
  generic) kernel_package=linux-image-amd64 ;;
  cloud) kernel_package=linux-image-cloud-amd64 ;;
  *) fail "--kernel is generic or cloud, not $kernel" ;;
esac
system_gib=8
[[ "$disk_gib" =~ ^[0-9]+$ ]] && [ "$disk_gib" -gt $((system_gib + 1)) ] && [ "$disk_gib" -le 16384 ] || fail "--disk is a number of GiB, from $((system_gib + 2)) to 16384; found $disk_gib"

# What this machine needs.
missing=()
while read -r program package; do
  command -v "$program" >/dev/null 2>&1 || missing+=("$package")
done <<'PROGRAMS'
mmdebstrap mmdebstrap
npm npm
git git
mke2fs e2fsprogs
debugfs e2fsprogs
sfdisk fdisk
mkfs.vfat dosfstools
mcopy mtools
qemu-img qemu-utils
grub-mkimage grub-common
PROGRAMS
[ ${#missing[@]} -eq 0 ] || fail "this machine needs: apt-get install$(printf ' %s' $(printf '%s\n' "${missing[@]}" | sort -u))"
[ "$(id -u)" -eq 0 ] || fail 'must be run as root: the packages of the image are set up in a root of their own.'
[ "$(dpkg --print-architecture)" = amd64 ] || fail "builds images for amd64, on amd64; this is $(dpkg --print-architecture)"

# This machine's mirrors, unless named. Its lists name them, and may be empty on a new machine.
[ -n "$mirror" ] && [ -n "$security_mirror" ] || [ -n "$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)" ] || apt-get update -q >&2
mirror_of() { apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk -v codename="$1" '$2 == codename { print $1; exit }'; }
: "${mirror:=$(mirror_of bookworm)}" "${security_mirror:=$(mirror_of bookworm-security)}"
[ -n "$mirror" ] && [ -n "$security_mirror" ] || fail "this machine's packages are not of Debian 12; name --mirror and --security-mirror"
: "${image_mirror:=$mirror}" "${image_security_mirror:=$security_mirror}"

mkdir -p "$out"
out=$(realpath "$out")
# Memory is the fastest place for the many small files, where there is enough of it.
base=$out
if [ -d /dev/shm ] && [ "$(df --output=avail -m /dev/shm | tail -n 1)" -gt 8192 ]; then base=/dev/shm; fi
work=$(mktemp -d "$base/relay-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
root=$work/root

say "release"
cd "$here/.."
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH
"$here/stage-release.sh" $dirty "$work/release"
node=$work/release/bin/node
version=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$work/release/release.json")
name=relay-$version
image() { "$node" "$here/image/$1.ts" "${@:2}"; }

say "Debian packages, from $mirror"
packages=$(sed '/^#/d; /^$/d' "$here/packages.txt" | paste -sd, -),$kernel_package
export RELEASE=$work/release VERSION=$version FILES=$here/files SSH_KEYS="${ssh_keys[*]}" RELEASE_KEYS="${release_keys[*]}"
sources=("deb $mirror bookworm main" "deb $mirror bookworm-updates main" "deb $security_mirror bookworm-security main")
SOURCES=$(printf 'deb %s main\n' "$image_mirror bookworm" "$image_mirror bookworm-updates" "$image_security_mirror bookworm-security")
export SOURCES
# Debian's own programs only: what else this machine has of the same names is not for Debian's packages. The initrd is made once, at the end.
PATH=/usr/sbin:/usr/bin:/sbin:/bin DPKG_FORCE=unsafe-io INITRD=No mmdebstrap --variant=minbase --mode=root --format=directory --components=main --include="$packages" \
  --aptopt='Apt::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --essential-hook='"$FILES/../image/before-packages.sh" "$1"' --customize-hook='"$FILES/../image/customize.sh" "$1"' \
  bookworm "$root" "${sources[@]}" >"$out/mmdebstrap.log" 2>&1 || { tail -n 40 "$out/mmdebstrap.log" >&2; fail "mmdebstrap failed; its log is $out/mmdebstrap.log"; }

# The identities of disk, partitions and file systems are the same in every image; what makes a machine one of its own is made at its first boot.
disk_id=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b00 root_id=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b03 hash_seed=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b04
esp_mib=64
kernel_version=$(ls "$root/lib/modules" | sort -V | tail -n 1)
#: the machine's dashboards show how long work waits for processor and disk.
command_line="root=UUID=$root_id ro console=tty0 console=ttyS0,115200n8"
# The first boot uses this one; with the first update of the kernel, update-grub writes its own.
cat >"$root/boot/grub/grub.cfg" <<GRUB
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
set default=0
menuentry 'Relay' {
  insmod part_gpt
  insmod ext2
  search --no-floppy --fs-uuid --set=root $root_id
  linux /boot/vmlinuz-$kernel_version $command_line
  initrd /boot/initrd.img-$kernel_version
}
GRUB
# Its modules, of the version that goes into the first sectors below: what update-grub writes asks for some that are not in there.
install -d "$root/boot/grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.mod "$root"/usr/lib/grub/i386-pc/*.lst "$root/boot/grub/i386-pc/"
sed -i "s|^UUID=[^ ]* /  *|UUID=$root_id / |" "$root/etc/fstab"

say 'what is in it'
dpkg-query --admindir="$root/var/lib/dpkg" --show --showformat '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' | sort >"$out/packages.tsv"
(cd "$work/release/app" && npm sbom --sbom-format cyclonedx --package-lock-only --loglevel=error) >"$work/npm.json"
image bill-of-materials "$work/release" "$work/npm.json" "$out/packages.tsv" >"$out/sbom.cdx.json"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
image list-files "$root" >"$out/files.sha256"

say "file systems ($(du -sm "$root" | cut -f1) MiB of files)"
root_start=$((2 + esp_mib)) root_mib=$((system_gib * 1024 - 2 - esp_mib))
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
truncate -s "${root_mib}M" "$work/root.raw"
mke2fs -q -t ext4 -d "$root" -L root -U "$root_id" -m 1 -E "hash_seed=$hash_seed,lazy_itable_init=1,nodiscard" -O ^has_journal "$work/root.raw"
tune2fs -O has_journal "$work/root.raw" >/dev/null
# mke2fs takes over when each file was last touched here, which nothing can set; so it is set in the file system.
dumpe2fs "$work/root.raw" 2>/dev/null | image clamp-inodes "$SOURCE_DATE_EPOCH" >"$work/times"
debugfs -w -f "$work/times" "$work/root.raw" >/dev/null 2>&1
e2fsck -fn "$work/root.raw" >"$out/e2fsck.log" 2>&1 || fail "the system's file system is not sound: $out/e2fsck.log"
truncate -s "${esp_mib}M" "$work/esp.raw"
mkfs.vfat -F 32 -n ESP -i 5a3f6c8e --invariant "$work/esp.raw" >/dev/null
# Debian's signed chain, at the place for any firmware and at Debian's own, which its updates look after.
for folder in BOOT debian; do
  mkdir -p "$work/efi/EFI/$folder"
  cp "$root/usr/lib/shim/mmx64.efi.signed" "$work/efi/EFI/$folder/mmx64.efi"
  cp "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$work/efi/EFI/$folder/grubx64.efi"
  printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' "$root_id" >"$work/efi/EFI/$folder/grub.cfg"
done
cp "$root/usr/lib/shim/shimx64.efi.signed" "$work/efi/EFI/BOOT/BOOTX64.EFI"
cp "$root/usr/lib/shim/shimx64.efi.signed" "$work/efi/EFI/debian/shimx64.efi"
find "$work/efi" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
MTOOLS_SKIP_CHECK=1 mcopy -smpQ -i "$work/esp.raw" "$work/efi/EFI" ::

say 'disk'
truncate -s "${disk_gib}G" "$work/disk.raw"
sfdisk --quiet "$work/disk.raw" <<TABLE
label: gpt
label-id: $disk_id
unit: sectors
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b01, name=bios
start=4096, size=$((esp_mib * 2048)), type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b02, name=esp
start=$((root_start * 2048)), size=$((root_mib * 2048)), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=3f1d3a0e-6b43-4d6f-9d0c-5a3f6c8e1b05, name=system
TABLE
dd if="$work/esp.raw" of="$work/disk.raw" bs=1M seek=2 conv=notrunc,sparse status=none
dd if="$work/root.raw" of="$work/disk.raw" bs=1M seek="$root_start" conv=notrunc,sparse status=none
rm "$work/root.raw"
# GRUB for BIOS, where grub-install would put it: the first sector, and the partition "bios".
printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\n' "$root_id" >"$work/early.cfg"
grub-mkimage -O i386-pc -d "$root/usr/lib/grub/i386-pc" -c "$work/early.cfg" -p /boot/grub -o "$work/core.img" \
  biosdisk part_gpt ext2 normal search search_fs_uuid configfile linux serial terminal test echo minicmd ls cat reboot
image boot-sector "$root/usr/lib/grub/i386-pc/boot.img" "$work/core.img" "$work/disk.raw"

results=(packages.tsv sbom.cdx.json files.sha256)
vmdk() {
  [ -e "$work/$name.vmdk" ] || qemu-img convert -f raw -O vmdk -o subformat=streamOptimized,adapter_type=lsilogic,hwversion=13 "$work/disk.raw" "$work/$name.vmdk"
}
# An OVA is a tar with the descriptor first, then the manifest, then the disk (DSP0243 5.3).
ova() {
  vmdk
  image ovf-descriptor "$work/release" "$work/$name.vmdk" "$version" "$disk_gib" >"$work/$name.ovf"
  (cd "$work" && sha256sum "$name.ovf" "$name.vmdk" | sed 's/^\([0-9a-f]*\)  \(.*\)$/SHA256(\2)= \1/' >"$name.mf")
  tar --create --file="$out/$name.ova" --directory="$work" --format=ustar --owner=0 --group=0 --numeric-owner --mode=0644 --mtime="@$SOURCE_DATE_EPOCH" \
    "$name.ovf" "$name.mf" "$name.vmdk"
}
for format in "${formats[@]}"; do
  case "$format" in
    qcow2) qemu-img convert -m 2 -f raw -O qcow2 -c -o compression_type=zstd "$work/disk.raw" "$out/$name.qcow2" ;;
    vhdx) qemu-img convert -f raw -O vhdx -o subformat=dynamic,block_size=1M "$work/disk.raw" "$out/$name.vhdx" ;;
    vmdk) vmdk; cp "$work/$name.vmdk" "$out/$name.vmdk" ;;
    ova) ova ;;
  esac
  results+=("$name.$format")
  say "$name.$format: $(($(stat -c %s "$out/$name.$format") / 1000000)) MB"
done
rm -f "$out/e2fsck.log"
(cd "$out" && sha256sum "${results[@]}" >SHA256SUMS)
say "done: $out, $(wc -l <"$out/packages.tsv") Debian packages, $(wc -l <"$out/files.sha256") files"
