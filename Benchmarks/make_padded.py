"""Writes the built-in model with wider feed-forward layers whose new rows and columns are zero.

The network computes the same function, so speculation's acceptance is that of the trained model, while every step reads as
many bytes as one of a model of that size: what speculation is worth where memory is the limit, which it is not for
20 MB.

    python3 Benchmarks/make_padded.py Sources/CDSDefaultModel/default.ds PADDED.gguf --factor 16
"""

import argparse

import gguf
import numpy as np


def padded(name, data, factor, experts):
    """Gate and up get rows, down gets columns; `data` is [..., rows, bytes of a row]."""
    kind = name.split(".")[-2] if "." in name else ""
    widened = ["ffn_gate", "ffn_up", "ffn_down", "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"]
    if experts:
        widened += ["ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"]
    if kind not in widened:
        return data
    axis = data.ndim - 1 if kind.startswith("ffn_down") else data.ndim - 2
    shape = list(data.shape)
    shape[axis] *= factor - 1
    return np.concatenate([data, np.zeros(shape, data.dtype)], axis=axis)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a GGUF or .ds file of architecture deepseek2")
    parser.add_argument("output")
    parser.add_argument("--factor", type=int, default=16, help="how many times wider (default: 16)")
    parser.add_argument(
        "--dense", action="store_true",
        help="leave the routed experts as they are: rows of a step then read the same weights, as in a dense model")
    options = parser.parse_args()
    reader = gguf.GGUFReader(options.source)
    writer = gguf.GGUFWriter(options.output, "deepseek2")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        value = field.contents()
        wider = [".feed_forward_length", ".expert_shared_count" if options.dense else ".expert_feed_forward_length"]
        if any(field.name.endswith(name) for name in wider):
            value *= options.factor
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data = padded(tensor.name, np.asarray(tensor.data), options.factor, experts=not options.dense)
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file(progress=True)
    writer.close()


if __name__ == "__main__":
    main()
