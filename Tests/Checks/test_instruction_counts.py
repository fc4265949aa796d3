"""Instructions of single kernel calls on the AVX2 tier, counted by valgrind, within 2 % of budgets (`.ci/run` installs it).

Timings differ from run to run; instructions do not: the same compiler makes the same program of the same kernels.
Budgets are `instruction_counts.json`, by the compiler's major version; another compiler is a reason to skip.

    pytest -s Tests/Checks/test_instruction_counts.py                 prints the table
    python3 Tests/Checks/test_instruction_counts.py --update          writes budgets, after three runs that agree

Write new budgets on purpose only, in the commit that changes the kernel, and say why in its message.
"""

import concurrent.futures
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
from conftest import skip

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE.parents[1] / "Sources" / "CDSKernels"
BUDGETS = HERE / "instruction_counts.json"
TOLERANCE = 1.02


class Missing(Exception):
    """Why this machine cannot count."""


def compiler():
    """Swift's clang, as SwiftPM uses it, and the name that its budgets have."""
    path = shutil.which("clang")
    if not path:
        raise Missing("no clang in PATH (it comes with Swift)")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path, "clang " + re.search(r"clang version (\d+)", version).group(1)


def build(clang, folder):
    """The driver with all kernels but those of AVX-512, which valgrind cannot execute and which take long to compile."""
    sources = [HERE / "instruction_counts.c"]
    sources += [file for file in KERNELS.glob("*.c") if "avx512" not in file.name]
    sources.sort(key=lambda file: ("interleaved" not in file.name, "avx2" not in file.name, file.name))  # the slowest first

    def compiled(file):
        target = folder / (file.stem + ".o")
        subprocess.run(
            [clang, "-O2", "-Wall", "-Wextra", "-Werror", f"-I{KERNELS}", f"-I{KERNELS / 'include'}", "-c", file, "-o", target],
            check=True, timeout=300)
        return target

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compiled, sources))
    program = folder / "counts"
    # What the tables name of other tiers becomes NULL, and nobody calls it.
    subprocess.run([clang, "-static", "-Wl,--unresolved-symbols=ignore-all", *objects, "-lm", "-o", program], check=True)
    return program


def count(program, folder):
    """{case: (instructions, work, unit)} of one run."""
    for old in folder.glob("callgrind.*"):
        old.unlink()
    run = subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/callgrind", program],
        capture_output=True, text=True, timeout=300, env={"PATH": "/usr/bin:/bin"})
    if run.returncode == 3:
        raise Missing("no AVX2 on this machine")
    assert run.returncode == 0, run.stderr
    executed = {}
    for dump in folder.glob("callgrind.*"):
        text = dump.read_text()
        case = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
        if case:
            executed[case.group(1)] = int(re.search(r"^totals: (\d+)", text, re.M).group(1))
    cases = [line.split("\t") for line in run.stdout.splitlines()]
    return {case: (executed[case], int(work), unit) for case, work, unit in cases}


def prepared(folder):
    if platform.machine() != "x86_64":
        raise Missing("counted on x86-64 only")
    if not shutil.which("valgrind"):
        raise Missing("no valgrind (Debian package valgrind)")
    clang, name = compiler()
    return name, build(clang, folder)


def read_budgets():
    """{compiler: {case: instructions}}"""
    return json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}


def table(counts, budgets):
    lines = [f"{'case':56} {'instructions':>12} {'each':>9}  {'of':12} against the budget"]
    for case, (executed, work, unit) in counts.items():
        budget = budgets.get(case)
        change = f"{100 * (executed / budget - 1):+.2f} %" if budget else "no budget"
        lines.append(f"{case:56} {executed:12d} {executed / work:9.4f}  {unit:12} {change}")
    return "\n".join(lines)


def faults(counts, budgets):
    found = [f"{case}: expected at most {budgets[case]} instructions and 2 %, found {counts[case]}"
             for case in counts if case in budgets and counts[case] > budgets[case] * TOLERANCE]
    found += [f"{case}: no budget" for case in counts if case not in budgets]
    return found + [f"{case}: a budget, but no such case" for case in budgets if case not in counts]


def test_comparison():
    assert faults({"a": 1020, "b": 10}, {"a": 1000, "b": 1000}) == []
    assert faults({"a": 1021}, {"a": 1000}) == ["a: expected at most 1000 instructions and 2 %, found 1021"]
    assert faults({"a": 1}, {"b": 1}) == ["a: no budget", "b: a budget, but no such case"]


def test_instruction_counts(tmp_path):
    try:
        name, program = prepared(tmp_path)
        budgets = read_budgets().get(name)
        if not budgets:
            raise Missing(f"no budgets for {name} (see this file's head)")
        counts = count(program, tmp_path)
    except Missing as reason:
        skip(str(reason))
    print("\n" + table(counts, budgets))
    found = faults({case: executed for case, (executed, _, _) in counts.items()}, budgets)
    assert not found, "\n".join(found)


def update():
    with tempfile.TemporaryDirectory() as folder:
        name, program = prepared(pathlib.Path(folder))
        runs = [count(program, pathlib.Path(folder)) for _ in range(3)]
    if any(run != runs[0] for run in runs):
        sys.exit("three runs differ:\n" + "\n\n".join(table(run, {}) for run in runs))
    budgets = read_budgets()
    print(table(runs[0], budgets.get(name, {})))
    budgets[name] = {case: executed for case, (executed, _, _) in runs[0].items()}
    BUDGETS.write_text(json.dumps(budgets, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    update()
