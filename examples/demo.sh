#!/usr/bin/env bash
# The whole chain on a synthetic world: drawn videos in, a scored release and a report out. Usage: demo.sh [FOLDER]
set -euo pipefail
demo=${1:-demo}
export UFINE_WORK=$demo/work UFINE_RECIPE=${UFINE_RECIPE:-demo}

run() {
  printf '\n\033[1m$ %s\033[0m\n' "$*"
  "$@"
}

run ufine-kit world "$demo/world"
run ufine-kit extract-tracklets "$demo/world/videos" --weights "$demo/world/tracks"
run ufine-kit filter
run ufine-kit world "$demo/world" --describe "$UFINE_WORK" --texts "$demo/texts.jsonl"
run ufine-kit campaign pull demo --from "$demo/texts.jsonl"
run ufine-kit campaign close demo
[ -d "$UFINE_WORK/releases/demo/0.1.0" ] || run ufine-kit build-release
run ufine-kit baseline-train
run ufine-kit evaluate "$UFINE_WORK/checkpoints/demo"
run ufine-kit push-hub --to "$demo/hub"
run ufine-kit status
run ufine-kit report
