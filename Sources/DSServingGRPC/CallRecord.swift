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

    private let storage = Mutex(State())

    var state: State { storage.withLock { $0 } }

    func update(_ body: (inout State) -> Void) { storage.withLock { body(&$0) } }
}
