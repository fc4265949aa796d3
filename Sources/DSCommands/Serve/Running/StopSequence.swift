import DSEngine
import DSServing
import Dispatch
import Foundation
import Logging
import Synchronization

/// How the server ends after SIGTERM or SIGINT.
///
/// Readiness drops at once; new requests are taken for `drainDelay` seconds more, so that load balancers have noticed;
/// then those that run have `shutdownTimeout` seconds. After that, or at a second signal, the engines end their requests,
/// which tells the clients, and what is still connected a little later is cut off. A third signal ends the process.
final class StopSequence: Sendable {
    /// For errors to reach the clients.
    private static let farewell = 1.0

    private let requests = Mutex(0)
    /// Timers and signals, one at a time. Not on Swift's shared threads, which may all be busy.
    let queue = DispatchQueue(label: "deepseek-server.stop")
    private let catalog: ModelCatalog
    private let state: ServerState
    private let drainDelay: Int
    private let shutdownTimeout: Int
    private let logger: Logger
    private let close: @Sendable () -> Void

    /// - Parameter close: stops listening; open connections finish what they answer.
    init(
        _ settings: ServerSettings, _ catalog: ModelCatalog, _ state: ServerState, close: @escaping @Sendable () -> Void
    ) {
        self.catalog = catalog
        self.state = state
        drainDelay = settings.drainDelay
        shutdownTimeout = settings.shutdownTimeout
        logger = settings.logger
        self.close = close
    }

    /// The server is told to stop, for the first time or again.
    func requested() {
        let count = requests.withLock { count in
            count += 1
            return count
        }
        switch count {
        case 1: leave()
        case 2: end()
        default: exit(1)
        }
    }

    private func leave() {
        state.advance(to: .leaving)
        let delay = drainDelay > 0 ? "requests are taken for \(drainDelay) s more, then " : ""
        logger.notice("stopping: \(delay)running requests have \(shutdownTimeout) s")
        after(Double(drainDelay)) { self.drain() }
    }

    private func drain() {
        after(Double(shutdownTimeout)) { self.end() }
        state.drain { [close] in close() }
    }

    private func end() {
        // When all that was answered has been told, in the background, too.
        state.drain { [close] in close() }
        logger.notice("stopping: \(state.activeRequests) running requests are ended")
        let models = catalog.models
        Task {
            for model in models { await model.generator.engine.shutdown() }
        }
        after(Self.farewell) { [logger] in
            logger.notice("stopped: open connections were cut")
            exit(0)
        }
    }

    private func after(_ seconds: Double, _ action: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + seconds, execute: action)
    }
}

/// Why the server ended.
struct ServerFailure: Error, CustomStringConvertible {
    let description: String
}
