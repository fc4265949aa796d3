package import DSSupport

/// What computes tensors from tensors: the part of a model that `BatchedModel` feeds.
package protocol TensorModel: Sendable {
    var configuration: ModelConfiguration { get }

    /// Computes a batch: requests of equal shapes, joined along the first dimension. Returns the outputs in the same way.
    @concurrent func compute(_ inputs: [WireTensor]) async throws -> [WireTensor]

    /// Checks a request, and may answer for a sequence; called once per request before it is queued.
    /// - Returns: inputs that the request did not have.
    func prepare(_ parameters: JSONObject, rows: Int) throws(InferenceError) -> [WireTensor]
}

extension TensorModel {
    package func prepare(_ parameters: JSONObject, rows: Int) throws(InferenceError) -> [WireTensor] { [] }
}
