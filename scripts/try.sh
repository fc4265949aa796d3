#!/usr/bin/env bash
# Builds the engine and asks its built-in model a question. Arguments replace the question.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
swift build -c release --product deepseek
if [ $# -eq 0 ]; then set -- "What is 48215 + 37796?"; fi
exec "$(swift build -c release --show-bin-path)/deepseek" run --temperature 0 "$@"
