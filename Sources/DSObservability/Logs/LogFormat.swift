package import Logging

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How log lines look.
package enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object per line, for programs.
    case json
    /// Time, level, text and `key=value`, for people.
    case text

    /// Text where standard error is a terminal, else JSON.
    package static var standard: LogFormat { isatty(2) == 1 ? .text : .json }

    /// A logger that writes in this format.
    package func logger(_ label: String, level: Logger.Level, output: LogOutput = .standardError) -> Logger {
        var logger = Logger(label: label) { LineLogHandler(label: $0, format: self, output: output) }
        logger.logLevel = level
        return logger
    }
}
