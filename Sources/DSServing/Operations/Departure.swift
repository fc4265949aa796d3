import Hummingbird
import Synchronization

/// Does something once: when it is told to, or when nobody can tell it any more.
final class Departure: Sendable {
    private let action: Mutex<(@Sendable () -> Void)?>

    init(_ action: @escaping @Sendable () -> Void) { self.action = Mutex(action) }

    deinit { leave() }

    func leave() {
        let action = action.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }
}

extension ResponseBody {
    /// Calls `action` once, when a streamed body was written, could not be, or was dropped; at once for a body that is
    /// complete, whose writing the connection itself waits for.
    func finally(_ action: @escaping @Sendable () -> Void) -> ResponseBody {
        guard contentLength == nil else {
            action()
            return self
        }
        let body = self
        let departure = Departure(action)
        return ResponseBody { writer in
            defer { departure.leave() }
            try await body.write(writer)
        }
    }
}
