#!/bin/sh
# Called by mmdebstrap with the image's root, after the packages: our files, users, services and release; then everything that would differ from
# build to build, or that no two machines may share, goes.
set -eu
root=$1

tar --create --directory="$FILES" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX . | tar --extract --directory="$root" --no-overwrite-dir
chmod 0440 "$root/etc/sudoers.d/relay"
printf '%s\n' "$SOURCES" >"$root/etc/apt/sources.list"

# Time servers only come from sources.d.
sed -i '/^\(pool\|server\) /d' "$root/etc/chrony/chrony.conf"

# Users. Nobody has a password.
chroot "$root" useradd --system --user-group --home-dir /srv/relay/data --no-create-home --shell /usr/sbin/nologin relay
chroot "$root" useradd --create-home --shell /bin/bash --groups sudo,adm,systemd-journal --password '*' ops
chroot "$root" usermod --password '*' root
rm -f "$root/etc/sudoers.d/README"
for key in $SSH_KEYS; do
  install -d -m 0700 "$root/home/ops/.ssh"
  cat "$key" >>"$root/home/ops/.ssh/authorized_keys"
done
[ -z "$SSH_KEYS" ] || chroot "$root" sh -c 'chmod 0600 /home/ops/.ssh/authorized_keys && chown -R ops:ops /home/ops/.ssh'

# Places.
install -d -m 0755 "$root/srv/relay" "$root/etc/relay" "$root/etc/relay/release-keys" "$root/boot/efi" "$root/boot/grub" "$root/var/log/journal"
install -d -m 0700 "$root/etc/relay/credentials" "$root/var/lib/relay-upgrade" "$root/var/cache/relay"
chroot "$root" chgrp relay /etc/relay
: >"$root/etc/relay/appliance"
for key in $RELEASE_KEYS; do install -m 0644 "$key" "$root/etc/relay/release-keys/"; done
install -d -m 0755 "$root/opt/relay/releases"
cp -R --no-preserve=ownership "$RELEASE" "$root/opt/relay/releases/$VERSION"
ln -s "releases/$VERSION" "$root/opt/relay/current"
cat >"$root/etc/fstab" <<'FSTAB'
UUID=root / ext4 defaults,noatime,errors=remount-ro 0 1
LABEL=ESP /boot/efi vfat umask=0077,nofail 0 2
/dev/relay/data /srv/relay ext4 defaults,noatime,nodev,nosuid,noexec,nofail,x-systemd.requires=relay-disk.service,x-systemd.growfs,x-systemd.device-timeout=5min 0 2
FSTAB
cat >"$root/etc/default/grub" <<'GRUB'
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200n8"
GRUB_TERMINAL="console serial"
GRUB_DISABLE_OS_PROBER=true
GRUB
echo relay >"$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
ln -s /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
rm -f "$root/etc/motd" "$root/etc/update-motd.d/10-uname" "$root/etc/issue.net"
printf 'Relay on \\n, \\l\n\n' >"$root/etc/issue"

# Services.
chroot "$root" systemctl --quiet enable systemd-networkd systemd-resolved nftables chrony ssh prometheus-node-exporter \
  relay-network.service relay-network.path relay-redis.service relay.service relay-trial.service
# Debian's own Redis listens on a port, and keeps nothing.
chroot "$root" systemctl --quiet disable redis-server.service 2>/dev/null
chroot "$root" systemctl --quiet mask redis-server.service
chroot "$root" systemctl --quiet disable e2scrub_reap.service e2scrub_all.timer 2>/dev/null || true
chroot "$root" systemctl --quiet enable fstrim.timer

chroot "$root" env -u INITRD update-initramfs -c -k all

# What no two machines share, what differs from build to build, and what nobody needs.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root"/etc/ssh/ssh_host_* "$root/var/lib/systemd/random-seed" "$root/var/lib/systemd/credential.secret"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root/var/cache/ldconfig/aux-cache" "$root"/var/cache/debconf/*-old
rm -rf "$root"/var/lib/dpkg/*-old "$root"/etc/*- "$root/tmp"/* "$root/var/tmp"/* "$root/root/.cache" "$root/root/.wget-hsts"
find "$root/var/log" -type f -delete
day=$((SOURCE_DATE_EPOCH / 86400))
sed -i "s/^\([^:]*:[^:]*:\)[0-9]*:/\1$day:/" "$root/etc/shadow"
