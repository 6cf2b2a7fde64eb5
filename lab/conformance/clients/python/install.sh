#!/bin/sh
# install.sh PYTHON BUILD: the Python clients' one environment, python/ beside the BUILD directory of any of them.
# Made anew only when the lock, or the place of this checkout, is another.
set -eu
mkdir -p "$2"
environment=$(cd "$2/.." && pwd)/python
cd "$(dirname "$0")"
exec 9>"$environment.lock" && flock 9 # clients may be built side by side
made_from() { pwd && cat requirements.txt; }
made_from | cmp -s - "$environment/made" && exit
rm -rf "$environment"
"$1" -m venv "$environment"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$environment/bin/python" -m pip install --quiet --no-deps --require-hashes --only-binary :all: --requirement requirements.txt
# so that `-m lab.conformance.clients.python.shared.check` is found from any directory
(cd ../../../.. && pwd) >"$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/repository.pth"
made_from >"$environment/made"
