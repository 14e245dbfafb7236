#!/usr/bin/env bash
# Replays the arithmetic of all shipped specs in Coq: check -> certificate -> verify -> script -> coqc.
#
#   scripts/replay-coq.sh [FOLDER]
#
# Needs Coq and coq-interval (Debian: coq libcoq-interval; installed here if this may be done). BIN names the program to use.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/coq}
mkdir -p "$out"
if ! command -v coqc > /dev/null; then
    apt-get update -qq && apt-get install -y --no-install-recommends coq libcoq-interval
fi
if [ -z "${BIN:-}" ]; then
    cargo build --release --quiet
    BIN=target/release/supremum
fi
failed=0
while IFS= read -r spec; do
    name=$(echo "${spec#specs/}" | sed 's/\.spec$//; s/[^A-Za-z0-9]/_/g')
    rm -f "$out/$name".*
    # Refuted or open claims are no reason to stop: what was decided is certified.
    "$BIN" check "$spec" --certificate "$out/$name.cert" > /dev/null 2>&1 || true
    [ -f "$out/$name.cert" ] || { echo "$name: nothing to certify"; continue; }
    "$BIN" export coq "$out/$name.cert" -o "$out/$name.v" > "$out/$name.log" 2> "$out/$name.omitted"
    start=$(date +%s%N)
    if (cd "$out" && coqc -q "$name.v" > "$name.coq.log" 2>&1); then
        echo "$(cut -d: -f2- "$out/$name.log" | sed "s/^/$name:/"), $((($(date +%s%N) - start) / 1000000)) ms"
    else
        echo "$name: REFUSED by Coq, see $out/$name.coq.log"
        failed=1
    fi
done < <(find specs -name '*.spec' ! -path 'specs/full/*' | LC_ALL=C sort)
exit $failed
