/// Requests of equal shapes as one, and its outputs as theirs again. Rows are the first dimension.
enum TensorBatch {
    /// What requests must have in common to be joined.
    struct Signature: Hashable {
        let names: [String]
        let datatypes: [TensorDatatype]
        /// Without the first dimension.
        let shapes: [[Int]]

        init(_ tensors: [WireTensor]) {
            let sorted = tensors.sorted { $0.name < $1.name }
            names = sorted.map(\.name)
            datatypes = sorted.map(\.datatype)
            shapes = sorted.map { Array($0.shape.dropFirst()) }
        }
    }

    /// Joins requests of one signature.
    static func join(_ requests: [[WireTensor]]) throws(InferenceError) -> [WireTensor] {
        guard let first = requests.first else { return [] }
        guard requests.count > 1 else { return first }
        var joined: [WireTensor] = []
        for tensor in first {
            var bytes: [UInt8] = []
            var rows = 0
            for request in requests {
                guard let part = request.first(where: { $0.name == tensor.name }) else {
                    throw InferenceError(.internalFailure, "batch: expected input '\(tensor.name)' in every request")
                }
                bytes += part.bytes
                rows += part.shape[0]
            }
            joined.append(
                try WireTensor(
                    name: tensor.name, datatype: tensor.datatype, shape: [rows] + tensor.shape.dropFirst(),
                    bytes: bytes))
        }
        return joined
    }

    /// - Parameter rows: rows of each request.
    static func split(_ outputs: [WireTensor], rows: [Int]) throws(InferenceError) -> [[WireTensor]] {
        guard rows.count > 1 else { return [outputs] }
        var parts = Array(repeating: [WireTensor](), count: rows.count)
        for output in outputs {
            guard output.shape.first == rows.reduce(0, +) else {
                throw InferenceError(
                    .internalFailure,
                    "output '\(output.name)': expected \(rows.reduce(0, +)) rows, found shape \(output.shape)")
            }
            var offset = 0
            for (index, count) in rows.enumerated() {
                let shape = [count] + output.shape.dropFirst()
                let length = self.length(of: output, at: offset, elements: shape.reduce(1, *))
                parts[index].append(
                    try WireTensor(
                        name: output.name, datatype: output.datatype, shape: Array(shape),
                        bytes: Array(output.bytes[offset..<(offset + length)])))
                offset += length
            }
        }
        return parts
    }

    private static func length(of tensor: WireTensor, at offset: Int, elements: Int) -> Int {
        if let size = tensor.datatype.elementSize { return elements * size }
        var end = offset
        for _ in 0..<elements { end += 4 + Int(tensor.bytes.littleEndian(at: end) as UInt32) }
        return end - offset
    }
}
