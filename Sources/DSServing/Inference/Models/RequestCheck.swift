import DSSupport

/// Compares a request with what the model's configuration promises.
struct RequestCheck {
    private let configuration: ModelConfiguration

    init(_ configuration: ModelConfiguration) { self.configuration = configuration }

    func check(_ request: InferenceRequest) throws(InferenceError) {
        let name = configuration.name
        let known = configuration.inputs.map(\.name).joined(separator: ", ")
        for (index, input) in request.inputs.enumerated() {
            guard let specification = configuration.inputs.first(where: { $0.name == input.name }) else {
                throw .invalid("model '\(name)': expected the inputs \(known), found input '\(input.name)'")
            }
            guard !request.inputs[..<index].contains(where: { $0.name == input.name }) else {
                throw .invalid("model '\(name)': expected each input once, found '\(input.name)' twice")
            }
            try specification.check(input, maxBatchSize: configuration.maxBatchSize)
        }
        for specification in configuration.inputs where !specification.isOptional {
            guard request.input(specification.name) != nil else {
                let found = request.inputs.map(\.name).joined(separator: ", ")
                throw .invalid(
                    "model '\(name)': expected input '\(specification.name)', found \(found.isEmpty ? "no inputs" : found)"
                )
            }
        }
        if configuration.maxBatchSize > 0, let rows = request.inputs.first?.shape.first {
            for input in request.inputs where input.shape.first != rows {
                throw .invalid("input '\(input.name)': expected a batch size of \(rows), found \(input.shape)")
            }
        }
        for output in request.outputs where !configuration.outputs.contains(where: { $0.name == output.name }) {
            let outputs = configuration.outputs.map(\.name).joined(separator: ", ")
            throw .invalid("model '\(name)': expected some of the outputs \(outputs), found output '\(output.name)'")
        }
    }
}

/// Picks the outputs that a request asked for, and turns those with the `classification` extension into classes.
struct OutputSelection {
    private let wanted: [InferenceRequest.Output]

    init(_ wanted: [InferenceRequest.Output]) { self.wanted = wanted }

    func apply(to response: InferenceResponse, of model: String) throws(InferenceError) -> InferenceResponse {
        guard !wanted.isEmpty else { return response }
        var selected = response
        selected.outputs = []
        for output in wanted {
            // A decoupled model's answers need not have every output.
            guard let tensor = response.outputs.first(where: { $0.name == output.name }) else { continue }
            selected.outputs.append(output.classes > 0 ? try Self.classes(tensor, output.classes) : tensor)
        }
        return selected
    }

    /// `value:index` of the largest elements of each row, as strings.
    private static func classes(_ tensor: WireTensor, _ count: Int) throws(InferenceError) -> WireTensor {
        let values = try tensor.jsonData().arrayValue?.compactMap(\.doubleValue) ?? []
        guard values.count == tensor.elementCount, let width = tensor.shape.last, width > 0 else {
            throw .invalid(
                "output '\(tensor.name)': expected numbers for 'classification', found \(tensor.datatype.rawValue)")
        }
        let kept = min(count, width)
        var strings: [[UInt8]] = []
        for start in stride(from: 0, to: values.count, by: width) {
            let order = (0..<width).sorted { (values[start + $0], $1) > (values[start + $1], $0) }
            for index in order.prefix(kept) {
                strings.append(Array("\(Self.decimal(values[start + index])):\(index)".utf8))
            }
        }
        return WireTensor(name: tensor.name, strings: strings, shape: tensor.shape.dropLast() + [kept])
    }

    /// Six digits behind the point.
    private static func decimal(_ value: Double) -> String {
        let scaled = (value.magnitude * 1_000_000).rounded()
        guard scaled < 9e18 else { return "\(value)" }
        let number = Int64(scaled)
        let digits = String(number % 1_000_000)
        return (value < 0 ? "-" : "") + "\(number / 1_000_000)." + String(repeating: "0", count: 6 - digits.count)
            + digits
    }
}
