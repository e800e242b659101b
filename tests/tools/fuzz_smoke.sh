#!/usr/bin/env bash
# Every fuzz target for a short time, on the stable compiler: without sanitizers no nightly is needed.
# FUZZ_SECONDS: seconds for each target (default 15).
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds="${FUZZ_SECONDS:-15}"
targets=$(cargo fuzz list)
if [ -z "$targets" ]; then
    echo "fuzz/ has no targets" >&2
    exit 1
fi
for target in $targets; do
    echo "--- $target, ${seconds} s"
    cargo fuzz run "$target" -s none -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024
done
