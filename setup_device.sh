#!/usr/bin/env bash
# Everything a fresh machine needs: OS packages, .venv, models; then, if asked, run or test.
set -euo pipefail
readonly CALLER=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

readonly LOCK=requirements.lock
readonly VENV=.venv
readonly STAMP=$VENV/.setup-complete
readonly SYSTEMS="Debian 12 or 13, or Raspberry Pi OS 64-bit, on x86-64 or aarch64"

usage() {
    cat <<'TEXT'
Usage: ./setup_device.sh [--offline DIR]              set up this machine
       ./setup_device.sh [--offline DIR] run [ARGS]   set up, then hold a recorded conversation
       ./setup_device.sh [--offline DIR] test [ARGS]  set up, then run all the tests
       ./setup_device.sh [--offline DIR] service      set up, then start the agent at every boot
       ./setup_device.sh --download DIR [--for x86_64|aarch64] [--python 3.11|3.12|3.13]
                              gather wheels and models for a machine without a network
       ./setup_device.sh --help

Set-up does what is missing and nothing else; after an interruption, run it again.
ARGS are passed on to `voice-agent emulate` or to pytest.
--offline DIR takes wheels and models from a folder that --download DIR made.
The environment variable PYTHON chooses the Python; VOICE_AGENT_MODELS, where models are kept.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# ---- the system -------------------------------------------------------------------------------

os_release() {  # value of one key; empty where the file or the key is missing
    sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "${OS_RELEASE:-/etc/os-release}" 2>/dev/null || true
}

check_system() {
    local id version machine name
    id=$(os_release ID) version=$(os_release VERSION_ID) machine=$(uname -m)
    name=$(os_release PRETTY_NAME)
    [ -n "$name" ] || name=$(uname -s)
    case "$(uname -s)/$id/$version/$machine" in
        Linux/debian/1[23]/x86_64 | Linux/debian/1[23]/aarch64) ;;
        *) fail "voice-agent runs on $SYSTEMS; this is $name on $machine." ;;
    esac
    [ "$(getconf LONG_BIT)" = 64 ] ||
        fail "voice-agent runs on $SYSTEMS; this is a 32-bit $name, although its processor is 64-bit."
}

suitable() {  # is this command a 64-bit Python 3.11, 3.12 or 3.13?
    "$1" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)
        and sys.maxsize > 2**32 and sys.implementation.name == "cpython"))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if suitable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# ---- OS packages ------------------------------------------------------------------------------

has_library() {
    case "$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null)" in
        *"$1"*) ;;
        *) return 1 ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"  # nobody is there to type a password
    fi
}

apt_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || return 1
    local options=(-y --no-install-recommends -o Acquire::Retries=1 -o Acquire::http::Timeout=20)
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get install "${options[@]}" "$@" </dev/null >&2 && return
    [ -z "$OFFLINE" ] || return 1
    say "Refreshing the list of OS packages."
    as_root apt-get update -o Acquire::http::Timeout=20 </dev/null >&2 &&
        as_root apt-get install "${options[@]}" "$@" </dev/null >&2
}

install_needed() {  # without these, nothing works
    say "OS packages missing: $*. Installing them with apt."
    apt_install "$@" ||
        fail "The OS packages $* are needed and could not be installed; as root, run: apt-get install $*"
}

install_useful() {  # without these, the rest still works
    [ $# -gt 0 ] || return 0
    say "OS packages missing: $*. Installing them with apt."
    apt_install "$@" ||
        say "Going on without $* (microphone: libportaudio2; speech: flite, espeak-ng);" \
            "to add them, as root: apt-get install $*"
}

missing_useful() {
    has_library libportaudio.so.2 || echo libportaudio2
    command -v flite >/dev/null || echo flite
    command -v espeak-ng >/dev/null || echo espeak-ng
}

require_python() {  # sets PYTHON to a Python that can make virtual environments
    PYTHON=$(find_python) || {
        command -v python3 >/dev/null &&
            fail "voice-agent needs Python 3.11, 3.12 or 3.13 (64-bit); python3 is $(python3 -V 2>&1)."
        install_needed python3 python3-venv
        PYTHON=$(find_python) || fail "voice-agent needs Python 3.11, 3.12 or 3.13 (64-bit)."
    }
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null && return
    install_needed "$("$PYTHON" -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))')"
}

# ---- the virtual environment ------------------------------------------------------------------

fingerprint() {  # of all that .venv was made from
    "$VENV/bin/python" -c 'import hashlib, os, sys
parts = [open(name, "rb").read() for name in sys.argv[1:]]
parts += [os.getcwd().encode(), repr(sys.version_info[:2]).encode()]
print(hashlib.sha256(b"\0".join(parts)).hexdigest())' "$LOCK" pyproject.toml 2>/dev/null
}

environment_is_complete() {
    [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(fingerprint)" ]
}

pip() {  # bars on a terminal, only errors in a log
    local quiet=--quiet
    [ ! -t 2 ] || quiet=
    "$VENV/bin/python" -m pip ${quiet:+"$quiet"} "$@" --disable-pip-version-check --no-input
}

pip_locked() {  # OPTIONS... -- PACKAGES...: install entries of the lock file (all if none named)
    local options=() listed=$VENV/tmp/locked.txt
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    "$VENV/bin/python" -m setup.lock "$LOCK" "$@" ${OFFLINE:+--offline "$OFFLINE"} >"$listed" || exit 1
    pip install --require-hashes ${options[@]+"${options[@]}"} \
        ${OFFLINE:+--no-index --find-links "$OFFLINE/wheels"} -r "$listed"
}

make_environment() {
    require_python
    [ -z "$OFFLINE" ] || "$PYTHON" -m setup.lock "$LOCK" --offline "$OFFLINE" >/dev/null || exit 1
    # One that was finished once is brought up to date; one that was cut short is made anew.
    if [ ! -f "$STAMP" ] || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 ||
        [ "$("$VENV/bin/python" -V)" != "$("$PYTHON" -V)" ]; then
        say "Making $VENV with $("$PYTHON" -V)."
        "$PYTHON" -m venv --clear "$VENV" || fail "$PYTHON could not make $VENV."
    fi
    rm -f "$STAMP"
    say "Installing the Python packages of $LOCK (about 100 MB, if none is there yet)."
    mkdir -p "$VENV/tmp"  # not /tmp, which is memory on some boards
    export TMPDIR=$PWD/$VENV/tmp
    {
        pip_locked -- setuptools &&
            pip_locked --no-deps --no-build-isolation --use-pep517 -- &&
            pip install --no-deps --no-build-isolation --no-index --editable .
    } >&2 || fail "The Python packages could not be installed: the lines above say why." \
        "Mend that and run the same command again."
    unset TMPDIR
    rm -rf "$VENV/tmp"
    fingerprint >"$STAMP.new" && mv "$STAMP.new" "$STAMP"
}

# ---- the commands -----------------------------------------------------------------------------

set_up() {  # which models: run or test
    check_system
    if ! environment_is_complete; then make_environment; fi
    # shellcheck disable=SC2046  # one word a package
    install_useful $(missing_useful)
    "$VENV/bin/python" -m models fetch --set "$1" ${OFFLINE:+--offline "$OFFLINE"} >/dev/null ||
        fail "Set-up is not complete: a model is missing. Mend that and run the same command again."
}

fetch_micropython() {  # the firmware's tests run in it, and skip without
    local fetcher=tests/firmware_bridge/fetch_micropython.py
    [ -z "$OFFLINE" ] && [ -f "$fetcher" ] || return 0
    "$VENV/bin/python" "$fetcher" >/dev/null ||
        say "Tests of the firmware under MicroPython will be skipped."
}

fetch_dynamodb() {  # the cloud tables' own engine, for the tests of sync, where Java is
    [ -z "$OFFLINE" ] && [ -f tests/dynamodb_local.py ] || return 0
    "$VENV/bin/python" -m tests.dynamodb_local >/dev/null ||
        say "Tests of sync against DynamoDB's own engine will be skipped."
}

download() {  # DIR OPTIONS...
    local folder=$1
    shift
    case "$folder" in /*) ;; *) folder=$CALLER/$folder ;; esac
    require_python
    TOOLS=$(mktemp -d)
    trap 'rm -rf "$TOOLS"' EXIT
    "$PYTHON" -m venv "$TOOLS/venv"
    "$PYTHON" -m setup.lock "$LOCK" setuptools packaging rich markdown-it-py mdurl pygments \
        >"$TOOLS/locked.txt"
    "$TOOLS/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r "$TOOLS/locked.txt"
    "$TOOLS/venv/bin/python" -m setup.wheels "$folder" "$@"
    "$TOOLS/venv/bin/python" -m models save "$folder" >/dev/null
    say "Done. Copy $folder to the other machine, beside a checkout of this version, and run there:" \
        "./setup_device.sh --offline DIR"
}

main() {
    OFFLINE=
    local command=
    while [ $# -gt 0 ]; do
        case "$1" in
            -h | --help) usage; return ;;
            --download)
                [ $# -ge 2 ] || fail "--download needs a folder; see ./setup_device.sh --help"
                download "${@:2}"
                return ;;
            --offline)
                OFFLINE=$(cd -- "$CALLER" && cd -- "${2-}" 2>/dev/null && [ -n "${2-}" ] && pwd) ||
                    fail "--offline needs a folder that --download made; '${2-}' is none"
                shift 2 ;;
            run | test | service)
                [ -z "$command" ] || break
                command=$1
                shift ;;
            *)
                [ -n "$command" ] || fail "'$1' is not understood; see ./setup_device.sh --help"
                break ;;
        esac
    done
    case "$command" in
        test)
            set_up test
            fetch_micropython
            fetch_dynamodb
            exec "$VENV/bin/python" -m pytest "$@" ;;
        run)
            set_up run
            exec "$VENV/bin/voice-agent" emulate scenes/meg.toml "$@" ;;
        service)
            set_up run
            exec "$VENV/bin/python" -m setup.service "$@" ;;
        *)
            set_up run
            say "Ready. Try: ./setup_device.sh run, or: $VENV/bin/voice-agent --help" ;;
    esac
}

main "$@"
