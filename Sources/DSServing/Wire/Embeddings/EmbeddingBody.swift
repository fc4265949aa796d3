import DSEngine
import DSSupport
import FoundationEssentials

/// The body of `POST /v1/embeddings`.
struct EmbeddingBody {
    enum Encoding: String { case float, base64 }

    let model: ServedModel
    let inputs: [TextRequest.Prompt]
    let encoding: Encoding
    /// Leading components that stay; `nil`: all.
    let dimensions: Int?
    private let truncation: PromptTruncation?

    init(_ fields: FieldReader, catalog: ModelCatalog) throws {
        try AcceptedFields.check(fields)
        model = try catalog.model(named: try fields.string("model"))
        inputs = try CompletionBody.prompts(fields, key: "input")
        let word = try fields.string("encoding_format") ?? "float"
        guard let encoding = Encoding(rawValue: word) else {
            throw APIError.field(
                "encoding_format", expected: "\"float\" or \"base64\"", found: fields.value("encoding_format"))
        }
        self.encoding = encoding
        dimensions = try fields.integer("dimensions")
        if let dimensions, dimensions < 1 {
            throw APIError.field("dimensions", expected: "at least 1", found: fields.value("dimensions"))
        }
        var truncation = try TruncationFields(fields)
        truncation?.resolve(context: model.generator.engine.maximumContext, reserved: 0)
        self.truncation = truncation?.value
    }

    /// Token ids of every input.
    func tokens() throws -> [[Int32]] {
        try inputs.map { input in
            let tokens =
                switch input {
                case .tokens(let ids): ids
                case .text(let text): try model.generator.encode(text, addsSpecialTokens: true)
                }
            return truncation?.apply(to: tokens) ?? tokens
        }
    }

    /// The list that answers the request.
    /// - Parameter vectors: one of unit length per input.
    func answer(_ vectors: [[Float]], promptTokens: Int) throws(APIError) -> JSONValue {
        var data: [JSONValue] = []
        for (index, vector) in vectors.enumerated() {
            data.append([
                "object": "embedding", "index": .integer(Int64(index)), "embedding": encoded(try shortened(vector)),
            ])
        }
        let count = JSONValue.integer(Int64(promptTokens))
        return [
            "object": "list", "data": .array(data), "model": .text(model.name),
            "usage": ["prompt_tokens": count, "total_tokens": count],
        ]
    }

    /// The leading components, again of unit length (Kusupati et al., "Matryoshka Representation Learning", 2022).
    private func shortened(_ vector: [Float]) throws(APIError) -> [Float] {
        guard let dimensions else { return vector }
        guard dimensions <= vector.count else {
            throw .field(
                "dimensions", expected: "at most \(vector.count), which the model has",
                found: .integer(Int64(dimensions)))
        }
        return EmbeddingVector.normalized(Array(vector.prefix(dimensions)))
    }

    private func encoded(_ vector: [Float]) -> JSONValue {
        switch encoding {
        case .float: return .array(vector.map { .number(Double($0)) })
        case .base64:
            // Little-endian singles, as OpenAI's client reads them.
            let bytes = vector.flatMap { value in
                (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            }
            return .text(Data(bytes).base64EncodedString())
        }
    }
}

/// Arithmetic of embeddings.
package enum EmbeddingVector {
    /// The same direction with length 1; a vector without length stays as it is.
    package static func normalized(_ vector: [Float]) -> [Float] {
        let squares = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares > 0 else { return vector }
        let scale = Float(1 / squares.squareRoot())
        return vector.map { $0 * scale }
    }
}
