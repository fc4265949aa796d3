"""Work per generated token, counted in instructions: the same on a busy machine as on a quiet one.

Counted by valgrind on its emulated processor (AVX2, one thread). The difference of two runs leaves out what starting costs.
Whoever makes a step cheaper lowers the budget; whoever makes it dearer says why in the commit.
"""

import re
import shutil
import subprocess

import pytest

# Million instructions per greedy token of the built-in model, guesses off.
BUDGET = 1.45
TOLERANCE = 0.15


def instructions(deepseek, tokens):
    done = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", deepseek, "run", "-t", "1",
         "--temperature", "0", "--speculation", "off", "-n", str(tokens), "What is 48273 + 956?"],
        capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"I\s+refs:\s+([\d,]+)", done.stderr).group(1).replace(",", ""))


def test_instructions_per_token(deepseek):
    if not shutil.which("valgrind"):
        pytest.fail("valgrind: expected on the path, found nothing (apt-get install valgrind)")
    # The answer has more than 60 tokens.
    cost = (instructions(deepseek, 60) - instructions(deepseek, 20)) / 40 / 1e6
    assert cost < BUDGET * (1 + TOLERANCE), f"{cost:.2f} million instructions per token"
    # A budget that lies far above the cost would let it grow unseen.
    assert cost > BUDGET * (1 - 2 * TOLERANCE), f"{cost:.2f} million instructions per token: lower the budget"
