"""Profiles of steps before and after, side by side, as a page of tables: what each operation takes, and how much of the
machine's tighter limit (memory or arithmetic, measured in the same run) it reaches.

    python3 Benchmarks/profiles.py --deepseek .build/release/deepseek --case "MODEL.gguf -p 512 -b 1,4,8,16" [--case ...]

Before is `--optimize-level 2`, weights as they lie in the file, or an older build (`--before PATH`, at its own default
level); after is level 3. Rounds take turns; of each step the round with the median time is shown. A case is a model and
options of `deepseek bench`; `built-in` is the model inside the program.
"""

import argparse
import json
import shlex
import subprocess

SHOWN = 0.01  # of the step's time, before or after


def profile(command, case):
    words = shlex.split(case)
    model = [] if words[0] == "built-in" else words[:1]
    done = subprocess.run(command + model + words[1:] + ["--profile", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)} {case}: {done.stderr.strip()}")
    return {step["step"]: step for step in json.loads(done.stdout)}


def median(rounds, step):
    """The round whose step took the median time (the lower one of two)."""
    ordered = sorted((found[step] for found in rounds), key=lambda found: found["seconds"])
    return ordered[(len(ordered) - 1) // 2]


def cells(operation, whole):
    if operation is None:
        return ["", "", "", "", ""]
    seconds = operation["seconds"]
    limit = operation.get("limit_seconds", 0)
    rate = lambda amount: f"{amount / seconds / 1e9:.1f}" if amount and seconds else ""
    return [f"{seconds * 1e3:.3f}", f"{100 * seconds / whole:.1f} %", rate(operation["bytes"]),
            rate(operation["operations"]), f"{100 * limit / seconds:.0f} %" if limit and seconds else ""]


def table(before, after):
    lines = ["| operation | calls | before, ms | share | GB/s | GOP/s | of limit | after, ms | share | GB/s | GOP/s | of limit |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    old = {operation["operation"]: operation for operation in before["operations"]}
    new = {operation["operation"]: operation for operation in after["operations"]}
    for name in sorted(old | new, key=lambda name: -max(old.get(name, new.get(name))["seconds"], new.get(name, old.get(name))["seconds"])):
        shares = [side[name]["seconds"] / whole["seconds"] for side, whole in ((old, before), (new, after)) if name in side]
        if max(shares) < SHOWN:
            continue
        calls = (new.get(name) or old[name])["calls"]
        row = cells(old.get(name), before["seconds"]) + cells(new.get(name), after["seconds"])
        lines.append(f"| {name} | {calls} | " + " | ".join(row) + " |")
    sums = []
    for side in (before, after):
        total = {key: sum(operation[key] for operation in side["operations"]) for key in ("bytes", "operations", "limit_seconds")}
        sums += cells({"seconds": side["seconds"], **total}, side["seconds"])
    lines.append("| **all** | | " + " | ".join(sums) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deepseek", required=True)
    parser.add_argument("--before", help="an older build")
    parser.add_argument("--case", action="append", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--commit", default="", help="what to call the measured state")
    options = parser.parse_args()
    common = ["bench", "-t", str(options.threads), "-r", "1"]
    old = [options.before, *common] if options.before else [options.deepseek, *common, "--optimize-level", "2"]
    new = [options.deepseek, *common]
    print(f"Before: {'an older build' if options.before else 'level 2, weights as in the file'}; after: level 3. "
          f"{options.threads} threads, {options.rounds} rounds in turns{', ' + options.commit if options.commit else ''}.")
    for case in options.case:
        before, after = [], []
        for _ in range(options.rounds):
            before.append(profile(old, case))
            after.append(profile(new, case))
        print(f"\n## {case.split('/')[-1]}")
        for step in after[0]:
            if step not in before[0]:
                continue
            first, second = median(before, step), median(after, step)
            print(f"\n{step}: {first['seconds'] * 1e3:.2f} → {second['seconds'] * 1e3:.2f} ms\n")
            print("\n".join(table(first, second)), flush=True)


if __name__ == "__main__":
    main()
