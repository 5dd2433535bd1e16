#!/usr/bin/env bash
# Make or complete a virtual environment from exact lock files: make_env.sh VENV LOCK [LOCK ...]
# $PYTHON names the interpreter; without it the first of python3.11, python3.12 and python3 that fits is taken.
set -euo pipefail
venv=$1
shift

fail() {
    echo "error: $*" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3}; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or 3.12 found (tried: ${PYTHON:-python3.11 python3.12 python3});" \
        "install one, or name it: make env PYTHON=/path/to/python3.11"
}

python=$(find_python)
command -v "${CC:-gcc}" >/dev/null ||
    fail "no C compiler found (tried: ${CC:-gcc}); some packages are built from source: install gcc"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no pip or venv module; install them (Debian: apt install python3-pip python3-venv)"

if ! [ -x "$venv/bin/python" ] || ! fits "$venv/bin/python"; then
    "$python" -m venv --clear "$venv"
fi
install=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)

# torch goes first and with its dependencies, held to the lock's versions: the wheel of PyPI needs CUDA libraries that
# the lock does not name, the CPU wheel does not.
torch=$(grep -h '^torch==' "$@" || true)
if [ -n "$torch" ]; then
    "${install[@]}" --constraint "$(dirname "$0")/workflow.lock" "$torch"
fi
"${install[@]}" --no-deps $(printf -- '--requirement %s ' "$@")
"${install[@]}" --no-deps --no-build-isolation --editable .
