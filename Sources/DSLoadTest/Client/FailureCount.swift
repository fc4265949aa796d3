/// Failures of one kind, with the first one's message.
package struct FailureCount: Sendable, Equatable {
    package let kind: Failure.Kind
    package let message: String
    package internal(set) var count: Int

    /// What helps against them, by their first message.
    func remedy(on endpoint: Endpoint) -> String? { Failure(kind, message).remedy(on: endpoint) }

    /// Most frequent first.
    package static func counts(of records: [RequestRecord]) -> [FailureCount] {
        var counts: [FailureCount] = []
        for failure in records.compactMap(\.failure) {
            if let index = counts.firstIndex(where: { $0.kind == failure.kind }) {
                counts[index].count += 1
            } else {
                counts.append(FailureCount(kind: failure.kind, message: failure.message, count: 1))
            }
        }
        return counts.sorted { ($0.count, $1.kind.label) > ($1.count, $0.kind.label) }
    }
}
