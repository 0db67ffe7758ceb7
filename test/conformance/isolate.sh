#!/bin/sh
# Runs a program that can write to one folder only. Must run as root in a mount namespace of its own:
#
#     unshare --mount sh isolate.sh FOLDER PROGRAM [ARGUMENT…]
set -eu
folder=$1
shift
mount --make-rprivate /
mount --bind "$folder" "$folder"
while read -r _ _ _ _ path _; do
  # mountinfo escapes spaces in paths as \040.
  path=$(printf '%b' "$path")
  if [ "$path" != "$folder" ]; then mount -o remount,bind,ro "$path" 2>/dev/null || true; fi
done < /proc/self/mountinfo
for path in / /etc /bin /proc/sys; do
  if [ -w "$path" ]; then
    echo "$path is still writable" >&2
    exit 1
  fi
done
exec "$@"
