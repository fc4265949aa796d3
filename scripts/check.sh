#!/usr/bin/env bash
# Checks the built programs against implementations by others: Python's gguf, safetensors, tokenizers, openai.
# Needs `scripts/test.sh` (or a release build) first, and the packages of Tests/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries="$(swift build -c release --show-bin-path)"
export DEEPSEEK="$binaries/deepseek" DEEPSEEK_SERVER="$binaries/deepseek-server" DS_CONVERT="$binaries/ds-convert"
exec python3 -m pytest -q -rs Tests/Checks "$@"
