import DSServing
import Dispatch
import Foundation
import Logging
import Synchronization

/// Reads keys and certificates again while the server runs. What cannot be read leaves what was in effect.
final class Reloading: Sendable {
    private let source: KeySource
    private let keys: KeyStore
    private let certificates: CertificateStore?
    private let logger: Logger
    /// When the certificate files were last changed, as far as is known.
    private let changed: Mutex<[Date?]>

    init(_ settings: ServerSettings, keys: KeyStore, certificates: CertificateStore?) {
        source = settings.keys
        self.keys = keys
        self.certificates = certificates
        logger = settings.logger
        changed = Mutex(Self.dates(of: certificates))
    }

    /// Returns what could not be read.
    func reload() async -> [String] {
        var failures: [String] = []
        do {
            let read = try source.read()
            keys.replace(by: read)
            logger.notice("reloaded: \(read.count) keys")
        } catch {
            failures.append(error.description)
        }
        failures += reloadCertificates()
        for failure in failures { logger.error("not reloaded: \(failure)") }
        return failures
    }

    /// Reads the certificates again if a file's date changed.
    func refreshCertificates() {
        let dates = Self.dates(of: certificates)
        let isChanged = changed.withLock { known in
            defer { known = dates }
            return known != dates
        }
        guard isChanged else { return }
        for failure in reloadCertificates() { logger.error("not reloaded: \(failure)") }
    }

    private func reloadCertificates() -> [String] {
        guard let certificates else { return [] }
        do {
            try certificates.reload()
            logger.notice("reloaded: \(certificates.paths.joined(separator: ", "))")
            return []
        } catch {
            return [error.description]
        }
    }

    private static func dates(of certificates: CertificateStore?) -> [Date?] {
        (certificates?.paths ?? []).map { path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return attributes?[.modificationDate] as? Date
        }
    }
}
