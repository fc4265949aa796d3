package import DSEngine

/// Books what answers took, however they ended: in the record of their request, and on the key that came with it.
package struct AnswerAccounts: Sendable {
    package let record: RequestRecord
    private let tenant: Tenant?

    package init(_ record: RequestRecord, of tenant: Tenant?) {
        self.record = record
        self.tenant = tenant
    }

    /// Answer number `index` ended by itself.
    /// - Returns: its result with what it cost.
    package func ended(_ index: Int, _ result: GenerationResult) -> GenerationResult {
        tenant?.charge(tokens: result.usage.promptTokens + result.usage.completionTokens)
        return record.ended(index, result)
    }

    /// Answer number `index` broke off: what was computed for it counts, whoever read it.
    @discardableResult
    package func brokeOff(_ index: Int, _ stream: TextStream) async -> GenerationResult {
        ended(index, await stream.settle())
    }
}
