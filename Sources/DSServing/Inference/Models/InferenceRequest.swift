package import DSSupport

/// A request of the V2 protocol, whatever it came over.
package struct InferenceRequest: Sendable {
    package struct Output: Sendable {
        package let name: String
        package var parameters: JSONObject
        /// The `classification` extension: the largest elements instead of the tensor. 0: the tensor.
        package var classes: Int

        package init(name: String, parameters: JSONObject = JSONObject()) throws(InferenceError) {
            self.name = name
            self.parameters = parameters
            guard let value = parameters["classification"] else {
                classes = 0
                return
            }
            guard let count = value.intValue, count >= 0 else {
                throw .invalid("output '\(name)': expected 'classification' to be a count, found \(value.typeName)")
            }
            classes = count
        }
    }

    package var id = ""
    package var parameters = JSONObject()
    package var inputs: [WireTensor]
    /// The outputs asked for; empty: all.
    package var outputs: [Output] = []
    /// See `GenerationRequest.cacheOwner`.
    package var cacheOwner: String?
    /// Where answers of a language model are booked; nil: nowhere.
    package var accounts: AnswerAccounts?

    package init(inputs: [WireTensor]) { self.inputs = inputs }

    package func input(_ name: String) -> WireTensor? { inputs.first { $0.name == name } }
}

/// One answer; decoupled models give several to one request.
package struct InferenceResponse: Sendable {
    package var outputs: [WireTensor]
    package var parameters: JSONObject

    package init(outputs: [WireTensor], parameters: JSONObject = JSONObject()) {
        self.outputs = outputs
        self.parameters = parameters
    }
}
