"""Writes a GGUF file's matrices in another format with gguf's own quantiser, to measure what a format costs in accuracy.

    python3 Benchmarks/requantize.py Sources/CDSDefaultModel/default.ds OUT.gguf --type Q4_0
    deepseek eval OUT.gguf
"""

import argparse

import gguf
import numpy as np

TYPES = ["F32", "F16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("output")
    parser.add_argument("--type", choices=TYPES, required=True)
    options = parser.parse_args()
    kind = gguf.GGMLQuantizationType[options.type]
    reader = gguf.GGUFReader(options.source)
    writer = gguf.GGUFWriter(options.output, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data, written = np.asarray(tensor.data), tensor.tensor_type
        # Norms, router and biases stay as they are, as every converter leaves them.
        if len(tensor.shape) > 1 and written == gguf.GGMLQuantizationType.BF16:
            data, written = gguf.quants.quantize(gguf.quants.dequantize(data, written), kind), kind
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=written)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
