import Dispatch
import Foundation

/// Calls actions at signals, on a queue, instead of what the system would do.
final class SignalWatch: @unchecked Sendable {
    // SAFETY: dispatch sources are thread-safe, and the array is constant.
    private let sources: [any DispatchSourceSignal]

    init(on queue: DispatchQueue, _ actions: [(signal: Int32, action: @Sendable () -> Void)]) {
        sources = actions.map { number, action in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: action)
            source.resume()
            return source
        }
    }

    func cancel() { for source in sources { source.cancel() } }
}
