import DSModels
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output and error as a person or a program sees them.
enum Terminal {
    /// Styles apply when a person reads the stream and has not turned colour off (the NO_COLOR convention).
    static let stylesOutput = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    static let inputIsInteractive = isatty(STDIN_FILENO) == 1
    static let errorIsInteractive = isatty(STDERR_FILENO) == 1

    /// Width of the terminal behind standard output; 80 where it does not tell.
    static var columns: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    enum Style: String {
        case dim = "2"
        case bold = "1"
        case green = "32"
        case red = "31"
        case yellow = "33"
        case cyan = "36"
    }

    static func styled(_ text: String, _ style: Style) -> String {
        stylesOutput ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Writes to standard output at once. Output that cannot be written (a full disk, a closed stream) ends the program
    /// with exit code 1: an answer must not be cut short silently.
    static func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            note("Error: standard output: expected a stream that takes what is written, found \(reason(error))")
            exit(1)
        }
    }

    /// Writes a line to standard output.
    static func line(_ text: String) { write(text + "\n") }

    /// Writes a line to standard error; without one there is nobody to tell.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Replaces the line on standard error that a person sees.
    static func status(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(("\r" + text + "\u{1B}[K").utf8))
    }

    private static func reason(_ error: any Error) -> String {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        return cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(cause.code))) : "\(error)"
    }
}

/// A line on standard error that says how far long work is: done, rate, time left. Silent when no person looks.
struct ProgressLine {
    private let label: String
    private let total: Int
    private let unit: String
    private let start: ContinuousClock.Instant
    private var shown = ContinuousClock.now - .seconds(1)

    init(_ label: String, total: Int, unit: String, start: ContinuousClock.Instant = .now) {
        self.start = start
        self.label = label
        self.total = total
        self.unit = unit
    }

    mutating func update(_ done: Int) {
        let now = ContinuousClock.now
        guard Terminal.errorIsInteractive, done == total || now - shown > .milliseconds(200) else { return }
        shown = now
        let seconds = (now - start) / .seconds(1)
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let left = rate > 0 ? Double(total - done) / rate : 0
        let line = String(
            format: "\r%@ %d/%d %@, %.1f %@/s, %.0f s left\u{1B}[K", label, done, total, unit, rate, unit, left)
        try? FileHandle.standardError.write(contentsOf: Data((line + (done == total ? "\n" : "")).utf8))
    }
}

/// The progress line of weights that are read into memory.
enum PageInLine {
    static func report() -> PageIn.Report {
        let start = ContinuousClock.now
        let line = Mutex<ProgressLine?>(nil)
        return { done, total in
            // Numbers below `total` must be below it in MiB, too: equal ones end the line.
            let size = (total + (1 << 20) - 1) >> 20
            line.withLock {
                var progress = $0 ?? ProgressLine("reading weights", total: size, unit: "MiB", start: start)
                progress.update(done == total ? size : done >> 20)
                $0 = progress
            }
            return true
        }
    }
}
