import DSSupport
import HTTPTypes
import Synchronization

/// Responses that can be asked for again, in memory: the oldest ones go when there are too many.
final class ResponseStore: Sendable {
    struct Entry: Sendable {
        /// The tenant who asked; for all others there is no such response.
        let owner: String?
        var response: JSONValue
        /// Items that the request brought.
        var inputItems: [JSONValue]
        /// The conversation, the answer included, without instructions.
        var messages: [JSONValue]
        /// Stops the work on a response in the background, and waits until its final state is stored.
        var cancel: (@Sendable () async -> Void)?
        var bytes = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Oldest first.
        var order: [String] = []
        var bytes = 0
    }

    /// Responses, and bytes of their JSON, that are kept.
    private let maximumCount: Int
    private let maximumBytes: Int
    private let state = Mutex(State())

    init(maximumCount: Int = 1024, maximumBytes: Int = 64 << 20) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// - Parameter parameter: where the request says which.
    func entry(
        _ id: String, of owner: String?, parameter: String = "response_id"
    ) throws(APIError) -> Entry {
        guard let entry = state.withLock({ $0.entries[id] }), entry.owner == owner else {
            throw APIError(
                status: .notFound, message: "response '\(id)': expected one that is stored here, found none",
                type: "not_found_error", parameter: parameter, code: "response_not_found")
        }
        return entry
    }

    func set(_ id: String, _ entry: Entry) { set(id, entry, replacesOnly: false) }

    /// Does nothing where the response was forgotten.
    func replace(_ id: String, _ entry: Entry) { set(id, entry, replacesOnly: true) }

    private func set(_ id: String, _ entry: Entry, replacesOnly: Bool) {
        var entry = entry
        entry.bytes = size(entry)
        state.withLock { state in
            guard !replacesOnly || state.entries[id] != nil else { return }
            Self.remove(id, from: &state)
            state.entries[id] = entry
            state.order.append(id)
            state.bytes += entry.bytes
            while state.order.count > maximumCount || state.bytes > maximumBytes, let oldest = state.order.first {
                Self.remove(oldest, from: &state)
            }
        }
    }

    @discardableResult
    func remove(_ id: String, of owner: String?) throws(APIError) -> Entry {
        let entry = try entry(id, of: owner)
        state.withLock { Self.remove(id, from: &$0) }
        return entry
    }

    private static func remove(_ id: String, from state: inout State) {
        guard let entry = state.entries.removeValue(forKey: id) else { return }
        state.bytes -= entry.bytes
        state.order.removeAll { $0 == id }
    }

    private func size(_ entry: Entry) -> Int {
        ([entry.response] + entry.inputItems + entry.messages).reduce(0) { $0 + $1.serialized().count }
    }
}
