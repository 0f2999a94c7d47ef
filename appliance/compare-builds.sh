#!/bin/sh
# Compares two builds of the appliance: their Debian packages, and every file of their systems by content, mode and owner. Says each difference;
# exit code 1 when there is any.
set -eu

if [ $# -ne 2 ] || [ ! -d "$1" ] || [ ! -d "$2" ]; then
  echo 'usage: compare-builds.sh <folder of one build> <folder of the other>' >&2
  exit 2
fi
for list in packages.tsv files.sha256; do
  for folder in "$1" "$2"; do
    [ -s "$folder/$list" ] || { echo "compare-builds.sh: $folder has no $list; is it the folder of a build?" >&2; exit 2; }
  done
done

same=yes
compare() {
  if differences=$(diff --unchanged-line-format= --old-line-format='  - %L' --new-line-format='  + %L' "$1/$3" "$2/$3"); then
    printf '%s: the same, %d lines\n' "$3" "$(wc -l <"$1/$3")"
  else
    same=
    printf '%s: %d lines differ (- %s, + %s)\n%s\n' "$3" "$(printf '%s\n' "$differences" | wc -l)" "$1" "$2" "$differences"
  fi
}
compare "$1" "$2" packages.tsv
compare "$1" "$2" files.sha256
compare "$1" "$2" sbom.cdx.json
for image in "$1"/*.qcow2 "$1"/*.vhdx "$1"/*.ova "$1"/*.vmdk; do
  name=${image##*/}
  [ -e "$image" ] && [ -e "$2/$name" ] || continue
  if cmp --silent "$image" "$2/$name"; then echo "$name: the same, byte for byte"; else echo "$name: other bytes"; fi
done
[ -n "$same" ]
