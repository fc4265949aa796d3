"""`deepseek batching` measures what it says: batches form, and every request is answered. Timings are not judged."""

import json
import subprocess


def test_batches_form(deepseek):
    result = subprocess.run(
        [deepseek, "batching", "--clients", "8", "--requests", "64", "--width", "64", "--layers", "2",
         "--max-batch-size", "8", "--max-queue-delay-ms", "20", "--json"],
        capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["off"]["mean_batch"] == 1
    assert 2 < report["on"]["mean_batch"] <= 8
    assert report["ratio"] > 0
