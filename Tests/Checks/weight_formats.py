"""Writes the built-in model with its matrices in another GGUF format."""

import gguf
import numpy as np

from conftest import ROOT

SOURCE = ROOT / "Sources/CDSDefaultModel/default.ds"
TYPE = gguf.GGMLQuantizationType

# Formats that gguf reads but does not write: where the codes and the half-precision scales of a block lie, the second scale in
# parts of the first, and where sub-block scales lie.
LAYOUTS = {
    "Q2_K": dict(codes=(16, 80), scale=80, minimum=(82, 1.5), parts=(0, 16)),
    "Q3_K": dict(codes=(0, 96), scale=108, parts=(96, 108)),
    "Q4_K": dict(codes=(16, 144), scale=0, minimum=(2, 7.5), parts=(4, 16)),
    "Q5_K": dict(codes=(16, 176), scale=0, minimum=(2, 15.5), parts=(4, 16)),
    "Q6_K": dict(codes=(0, 192), scale=208, parts=(192, 208)),
    "IQ4_NL": dict(codes=(2, 18), scale=0),
    "IQ4_XS": dict(codes=(8, 136), scale=0, parts=(2, 8)),
}
HEADERS = 32
# Codes of few bits serve a matrix best if its greatest weights are cut: multiples of the root of the mean square.
SPAN = {2: 1.6, 3: 2.2}


def sub_scales(rng, name, count):
    """Random scales of sub-blocks, their greatest bit set: no sub-block is much coarser than another."""
    start, end = LAYOUTS[name].get("parts", (0, 0))
    bits = rng.integers(0, 256, (count, end - start), dtype=np.uint8)
    # 2-bit fields 00 or 11: the high bits of a scale that is stored with 32 added, so 16 to 32 of either sign.
    pairs = (bits & 0x55) * 3
    if name == "Q2_K":
        return bits | 0x88
    if name == "Q3_K":
        return np.concatenate([bits[:, :8], pairs[:, 8:]], axis=1)
    if name in ("Q4_K", "Q5_K"):
        return np.concatenate([bits[:, :8] | 0xA0, bits[:, 8:]], axis=1)
    if name == "Q6_K":
        return np.where(bits & 1, (bits & 0x7F) | 0x40, (bits | 0x80) & 0xBF).astype(np.uint8)
    if name == "IQ4_XS":
        return np.concatenate([pairs[:, :2], bits[:, 2:]], axis=1)
    return bits


def encode(name, values):
    """[rows, columns] floats as blocks: random sub-block scales, a scale that spans the block, and the nearest codes."""
    kind, layout = TYPE[name], LAYOUTS[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    (first, end), rng = layout["codes"], np.random.default_rng(5)
    headers = np.zeros((HEADERS, size), np.uint8)
    if "parts" in layout:
        headers[:, slice(*layout["parts"])] = sub_scales(rng, name, HEADERS)

    def put(blocks, scale):
        for place, factor in [(layout["scale"], 1.0), layout.get("minimum", (layout["scale"], 1.0))]:
            blocks[:, place : place + 2] = (scale * factor).astype(np.float16).view(np.uint8).reshape(-1, 2)

    put(headers, np.full(HEADERS, 1 / 64))
    # Which bits of a block are whose: flip each and see which element changes.
    flipped = np.repeat(headers[:1], (end - first) * 8, axis=0)
    for bit in range(len(flipped)):
        flipped[bit, first + bit // 8] ^= 1 << bit % 8
    zero = gguf.quants.dequantize(headers[:1], kind)
    owner = (gguf.quants.dequantize(flipped, kind) != zero).argmax(axis=1)
    places = np.argsort(owner, kind="stable").reshape(elements, -1)
    width = places.shape[1]

    def filled(codes):
        bits = np.zeros((len(codes), (end - first) * 8), np.uint8)
        for k in range(width):
            bits[:, places[:, k]] = codes >> k & 1
        return np.packbits(bits, axis=1, bitorder="little")

    choices = np.repeat(np.arange(1 << width, dtype=np.uint8)[:, None], elements, axis=1)
    blocks = values.reshape(-1, elements)
    out = headers[np.arange(len(blocks)) % HEADERS]
    codes = np.empty(blocks.shape, np.uint8)
    scales = np.empty(len(blocks))
    for h in range(HEADERS):
        base = np.repeat(headers[h : h + 1], len(choices), axis=0)
        base[:, first:end] = filled(choices)
        table = gguf.quants.dequantize(base, kind)  # [code, element]
        mine = blocks[h::HEADERS]
        reach = np.median(np.minimum(table.max(axis=0), -table.min(axis=0)))
        span = np.abs(mine).max(axis=1)
        if width in SPAN:
            span = np.minimum(span, SPAN[width] * np.sqrt((mine**2).mean(axis=1)))
        factor = span / reach
        wanted = mine / np.maximum(factor, 1e-30)[:, None]
        codes[h::HEADERS] = np.abs(wanted[:, None, :] - table[None]).argmin(axis=1)
        scales[h::HEADERS] = factor / 64
    put(out, scales)
    out[:, first:end] = filled(codes)
    return out.reshape(*values.shape[:-1], -1)


def quantized(values, name):
    """The bytes of a matrix, or nothing if its rows are no whole blocks of the format."""
    if values.shape[-1] % gguf.GGML_QUANT_SIZES[TYPE[name]][0]:
        return None
    return encode(name, values) if name in LAYOUTS else gguf.quants.quantize(values, TYPE[name])


def write(path, name, change=None):
    """Writes the built-in model; `change` may alter a tensor's bytes. Norms and routers stay F32, as in every file, and so do
    matrices whose rows are no whole blocks."""
    reader = gguf.GGUFReader(SOURCE)
    writer = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data, kind = np.asarray(tensor.data), tensor.tensor_type
        # The drafter's layer is in the file, but takes no part in logits.
        if kind == TYPE.BF16 and name != "BF16" and not tensor.name.startswith("blk.6."):
            values = gguf.quants.dequantize(data, kind)
            data, kind = quantized(values, name), TYPE[name]
            if data is None:
                data, kind = values, TYPE.F32
        data = np.ascontiguousarray(data)
        if change is not None:
            data = change(tensor.name, data.copy())
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
