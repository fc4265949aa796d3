"""The NEON kernels on Arm: natively, or cross-compiled and run by qemu's user emulation (`.ci/run` installs both)."""

import pathlib
import platform
import shutil
import subprocess

import pytest
from conftest import skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
NATIVE = platform.machine() in ("aarch64", "arm64")
SYSROOT = pathlib.Path("/usr/aarch64-linux-gnu")
EMULATOR = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    compiler = shutil.which("clang")
    if not compiler:
        skip("no clang in PATH (it comes with Swift)")
    flags = []
    if not NATIVE:
        if not (SYSROOT / "lib" / "libc.a").exists() or not shutil.which("ld.lld"):
            skip("no libraries for aarch64 (Debian packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross) or no ld.lld")
        if not EMULATOR:
            skip("no emulator of aarch64 (Debian package qemu-user-static)")
        flags = ["--target=aarch64-linux-gnu", "-static", "-fuse-ld=lld"]
    kernels = ROOT / "Sources" / "CDSKernels"
    program = tmp_path_factory.mktemp("neon") / "products"
    subprocess.run(
        [compiler, *flags, "-O2", "-Wall", "-Wextra", "-Werror", f"-I{kernels}", f"-I{kernels / 'include'}",
         ROOT / "Tests" / "Checks" / "neon_products.c", *sorted(kernels.glob("*.c")), "-lm", "-o", program],
        check=True, timeout=300)
    return program


def run(command, kind):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[-1].endswith(" 0 different"), done.stdout + done.stderr
    assert int(lines[-1].split()[0]) > 100_000
    assert kind is None or lines[0] == kind


@pytest.mark.skipif(NATIVE, reason="this machine runs the kernels itself")
@pytest.mark.parametrize("processor, kind", [("cortex-a76", "dotprod"), ("neoverse-n1", "dotprod"), ("max", "i8mm")])
def test_products_under_emulation(products, processor, kind):
    run([EMULATOR, "-cpu", processor, products], kind)


@pytest.mark.skipif(not NATIVE, reason="this machine is no Arm machine")
def test_products_on_this_machine(products):
    run([products], None)
