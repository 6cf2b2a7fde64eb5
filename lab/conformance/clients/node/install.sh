#!/bin/sh
# install.sh NPM BUILD: the Node clients' one environment, node/ beside the BUILD directory of any of them.
# Made anew only when the lock, or the place of this checkout, is another.
set -eu
mkdir -p "$2"
environment=$(cd "$2/.." && pwd)/node
cd "$(dirname "$0")"
exec 9>"$environment.lock" && flock 9 # clients may be built side by side
made_from() { pwd && cat package-lock.json; }
made_from | cmp -s - "$environment/made" && exit
rm -rf "$environment"
mkdir "$environment"
cp package.json package-lock.json "$environment"
# no package needs its install script: protobufjs's only warns
"$1" ci --prefix "$environment" --ignore-scripts --silent --no-audit --no-fund --no-update-notifier
# Node looks for node_modules above a module's own place, with --preserve-symlinks above this link
ln -s "$PWD" "$environment/clients"
made_from >"$environment/made"
