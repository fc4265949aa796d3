import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lets Ctrl-C call an action instead of ending the program, until `stop()`.
struct Interrupt {
    private let source: any DispatchSourceSignal

    init(_ action: @escaping @Sendable () -> Void) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: action)
        source.resume()
    }

    /// Ends the program as Ctrl-C does when nobody looks after it.
    static func end() {
        signal(SIGINT, SIG_DFL)
        // To the process: threads of a queue do not take signals.
        kill(getpid(), SIGINT)
    }

    func stop() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
