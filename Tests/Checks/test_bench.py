"""`deepseek bench`: its JSON, limits, profiles and the files that it writes."""

import html.parser
import json
import subprocess

from conftest import ROOT

SMALL = ["-p", "32", "-n", "4", "-b", "1,2", "-r", "1"]


def run(deepseek, *arguments):
    done = subprocess.run([deepseek, "bench", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_roofline_of_one_and_two_threads(deepseek):
    report = json.loads(run(deepseek, "--roofline", "-t", "2", "--json"))
    assert [r["threads"] for r in report["rooflines"]] == [1, 2]
    one, two = report["rooflines"]
    assert one["buffer_bytes"] >= 256 << 20
    # Not even a register file reads a terabyte per second; a machine that reads less than 100 MB/s is not measured.
    assert 1e8 < one["read_bytes_per_second"] < 1e12
    for kind in ("fp32", "bf16", "int8"):
        key = f"{kind}_operations_per_second"
        assert (key in one) == (key in two)
        if key in one:
            assert one[key] > 1e8


def test_results_stand_beside_limits(deepseek):
    results = json.loads(run(deepseek, *SMALL, "--json"))
    assert [(r["test"], r["batch"]) for r in results] == [("prefill", 1), ("decode", 1), ("decode", 2)]
    for result in results:
        rate = result["tokens_per_second"]
        assert 0 < rate["min"] <= rate["median"] <= rate["max"]
        limit = result["limit"]
        assert limit["by"] in ("memory", "fp32", "bf16", "int8")
        assert abs(result["fraction_of_limit"] - rate["median"] / limit["tokens_per_second"]) < 1e-9


def test_all_sequences_decode_together_at_depth(deepseek):
    arguments = ["-p", "0", "-n", "2", "-d", "512", "-b", "1,4", "-r", "1"]
    results = json.loads(run(deepseek, *arguments, "--json"))
    assert [r["batch"] for r in results] == [1, 4]
    assert all(r["tokens_per_second"]["median"] > 0 for r in results)
    one, four = json.loads(run(deepseek, *arguments, "--profile", "--json"))

    def linear(report):
        return next(o["operations"] for o in report["operations"] if o["operation"] == "attention/linear")

    assert linear(four) == 4 * linear(one) > 0


def test_profile_without_outputs_has_prompts_only(deepseek):
    reports = json.loads(run(deepseek, "-p", "8", "-n", "0", "--profile", "--json"))
    assert [r["step"] for r in reports] == ["prefill 8 @0"]


def test_profile_covers_the_step(deepseek):
    reports = json.loads(run(deepseek, *SMALL, "--profile", "--json"))
    assert [r["step"] for r in reports] == ["prefill 32 @0", "decode 1 @0", "decode 2 @0"]
    for report in reports:
        names = [o["operation"] for o in report["operations"]]
        assert len(set(names)) == len(names)
        assert any(n.endswith("attention") for n in names) and any(n.endswith("linear") for n in names), names
        assert abs(sum(o["seconds"] for o in report["operations"]) - report["seconds"]) < 1e-9
    prefill, one, two = reports

    def total(report, key):
        return sum(o[key] for o in report["operations"] if "expert" not in o["operation"] and "attention" not in o["operation"])

    # Dense weights are read once however many rows there are; the work grows with the rows.
    assert total(one, "bytes") == total(two, "bytes") > 0
    assert total(two, "operations") == 2 * total(one, "operations")
    assert total(prefill, "operations") > 10 * total(one, "operations")


def test_profiles_are_written(deepseek, tmp_path):
    trace, page = tmp_path / "steps.json", tmp_path / "steps.html"
    run(deepseek, *SMALL, "--profile", "--profile-output", str(trace))
    events = json.loads(trace.read_text())["traceEvents"]
    names = [e["args"]["name"] for e in events if e["ph"] == "M"]
    assert names == ["prefill 32 @0", "decode 1 @0", "decode 2 @0"]
    for process in range(3):
        steps = [e for e in events if e["ph"] == "X" and e["pid"] == process]
        assert len(steps) > 20 and steps[0]["ts"] == 0
        for before, after in zip(steps, steps[1:]):
            assert after["ts"] >= before["ts"] + before["dur"] - 0.01

    run(deepseek, *SMALL, "--profile", "--profile-output", str(page))
    bars = []

    class Page(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag == "rect":
                bars.append(dict(attributes))

    Page().feed(page.read_text())
    assert len(bars) > 60
    for bar in bars:
        assert 0 <= float(bar["x"]) <= 1600 and 0 < float(bar["width"]) <= 1601


def test_mistakes_are_told_before_anything_is_measured(deepseek, tmp_path):
    for arguments, text in (
        (["--profile-output", "x.html"], "--profile"), (["--profile", "--profile-output", "x.txt"], ".html or .json"),
        (["--profile", "--profile-output", str(tmp_path) + "/none/x.json"], "--profile-output: expected a name in a directory"),
        (["--optimize-level", "9"], "--optimize-level"), (["--roofline", "model.gguf"], "--roofline"),
        (["--roofline", "--profile"], "--roofline"), (["-p", "0", "-n", "0"], "-p or -n"),
    ):
        done = subprocess.run([deepseek, "bench", *SMALL, *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert done.returncode != 0 and text in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_copies_of_weights_are_told_and_change_nothing(deepseek, ds_convert, tmp_path):
    def info(path):
        return json.loads(subprocess.run([deepseek, "info", path, "--json"], capture_output=True, text=True, check=True).stdout)

    path = tmp_path / "q8.gguf"
    source = ROOT / "Tests/Goldens/models/v3-plain"
    subprocess.run([ds_convert, "--input-path", source, "--output-path", path, "--quantize", "q8_0"], check=True)
    tier = json.loads(run(deepseek, "--roofline", "-t", "1", "--json"))["tier"]
    facts = info(path)
    # AVX-512 has a faster layout for Q8_0; no tier has one for bf16.
    assert (0 < facts["layout_bytes"] <= facts["weight_bytes"]) if tier == "avx512" else facts["layout_bytes"] == 0
    assert info(source)["layout_bytes"] == 0
    (tmp_path / "ids.json").write_text("[1, 5, 9, 2, 7]")
    outputs = []
    for level in "2", "3":
        output = tmp_path / f"{level}.safetensors"
        subprocess.run(
            [deepseek, "logits", path, "--tokens", tmp_path / "ids.json", "--output", output, "--optimize-level", level],
            check=True, capture_output=True)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]


def test_ragged_and_padded_batches(deepseek):
    lengths = [(16, 12), (200, 3), (40, 30)]
    mixed = ",".join(f"{prompt}:{output}" for prompt, output in lengths)
    report = json.loads(run(deepseek, "--mixed", mixed, "-r", "1", "--json"))
    longest = max(p for p, _ in lengths) + max(o for _, o in lengths)
    assert report["useful_tokens"] == sum(p + o for p, o in lengths)
    # The last token of an answer is not computed.
    assert report["ragged"]["rows"] == sum(p + o - 1 for p, o in lengths)
    assert report["padded"]["rows"] == len(lengths) * (longest - 1)
    assert 0 < report["ragged"]["cache_bytes"] < report["padded"]["cache_bytes"]
    assert report["memory_change"] < 0


def test_wrong_mixed_lengths_are_named(deepseek):
    for wrong in ("16", "16:0", "a:b", "1:2,", "1:2:3"):
        done = subprocess.run([deepseek, "bench", "--mixed", wrong], capture_output=True, text=True, timeout=60)
        assert done.returncode == 64 and "--mixed" in done.stderr, wrong
