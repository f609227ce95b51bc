#!/usr/bin/env bash
# Does every package of the lock file have a wheel, or pure Python source, for each supported
# machine? Downloads some 600 MB; run it after changing the lock file:
#     .ci/wheels.sh [DIR]
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

folder=${1:-$(mktemp -d)}
for machine in x86_64 aarch64; do
    for python in 3.11 3.12 3.13; do
        printf '== %s, Python %s\n' "$machine" "$python"
        .venv/bin/python -m setup.wheels "$folder/$machine-$python" --for "$machine" \
            --python "$python" >/dev/null
        find "$folder/$machine-$python/wheels" -name '*.whl' | wc -l
    done
done
