import DSSupport

/// An input or an output of a model.
package struct TensorSpecification: Sendable, Equatable {
    package let name: String
    package let datatype: TensorDatatype
    /// Without the batch dimension; -1: any size.
    package let dimensions: [Int]
    package let isOptional: Bool

    package init(_ name: String, _ datatype: TensorDatatype, _ dimensions: [Int], isOptional: Bool = false) {
        self.name = name
        self.datatype = datatype
        self.dimensions = dimensions
        self.isOptional = isOptional
    }

    init(_ object: JSONObject, source: String, kind: String, index: Int) throws(InferenceError) {
        let place = "\(source): \(kind)[\(index)]"
        guard let name = object["name"]?.stringValue, !name.isEmpty else {
            throw .invalid("\(place): expected 'name', found none")
        }
        let typeName = object["data_type"]?.stringValue ?? "nothing"
        guard let datatype = TensorDatatype(configurationName: typeName) else {
            throw .invalid("\(place) '\(name)': expected a 'data_type', found \(typeName)")
        }
        let dimensions = object["dims"]?.arrayValue?.compactMap(\.intValue) ?? []
        guard !dimensions.isEmpty, dimensions.allSatisfy({ $0 == -1 || $0 > 0 }) else {
            throw .invalid("\(place) '\(name)': expected 'dims' of at least 1 or -1, found \(dimensions)")
        }
        self.init(name, datatype, dimensions, isOptional: object["optional"]?.boolValue ?? false)
    }

    /// The shape in a model's metadata: with the batch dimension.
    package func shape(batched: Bool) -> [Int] { (batched ? [-1] : []) + dimensions }

    /// An entry of `input` or `output` in the configuration.
    var json: JSONValue {
        var object = JSONObject([
            ("name", .text(name)), ("data_type", .text(datatype.configurationName)),
            ("dims", .array(dimensions.map { .integer(Int64($0)) })),
        ])
        if isOptional { object["optional"] = true }
        return .object(object)
    }

    /// Checks an input of a request.
    func check(_ tensor: WireTensor, maxBatchSize: Int) throws(InferenceError) {
        guard tensor.datatype == datatype else {
            throw .invalid(
                "input '\(name)': expected datatype \(datatype.rawValue), found \(tensor.datatype.rawValue)")
        }
        let expected = shape(batched: maxBatchSize > 0)
        let fits =
            tensor.shape.count == expected.count
            && zip(tensor.shape, expected).allSatisfy { $0 == $1 || $1 == -1 }
        guard fits else { throw .invalid("input '\(name)': expected shape \(expected), found \(tensor.shape)") }
        if maxBatchSize > 0, !(1...maxBatchSize).contains(tensor.shape[0]) {
            throw .invalid(
                "input '\(name)': expected a batch size in 1...\(maxBatchSize), found \(tensor.shape[0])")
        }
    }
}
