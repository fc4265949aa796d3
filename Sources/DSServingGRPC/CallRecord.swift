import DSServing
import Synchronization

/// What is known about one call, collected on its way: by the interceptors and the handlers.
final class CallRecord: Sendable {
    /// Of the call that this task works for.
    @TaskLocal static var current: CallRecord?

    struct State: Sendable {
        /// Whose key came with it.
        var tenant: Tenant?
        var model: String?
    }

    /// Of the request that the call itself is.
    let request = RequestRecord()
    private let storage = Mutex(State())
    private let onAnswer: @Sendable (RequestRecord.State) -> Void

    /// - Parameter onAnswer: told what became of each request of a stream.
    init(_ costs: CostModel?, onAnswer: @escaping @Sendable (RequestRecord.State) -> Void) {
        self.onAnswer = onAnswer
        request.update { $0.costs = costs }
    }

    var state: State { storage.withLock { $0 } }

    func update(_ body: (inout State) -> Void) { storage.withLock { body(&$0) } }

    func setTenant(_ tenant: Tenant) {
        update { $0.tenant = tenant }
        request.update { $0.tenant = tenant.name }
    }

    /// One of the requests of a stream was answered.
    func answered(_ request: RequestRecord) { onAnswer(request.state) }
}
