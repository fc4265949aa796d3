import DSServing
import Dispatch
import Foundation
import Logging
import Synchronization

/// Reads keys, certificates and models again while the server runs. What cannot be read leaves what was in effect.
final class Reloading: Sendable {
    private let source: KeySource
    private let keys: KeyStore
    private let certificates: CertificateStore?
    private let repository: ModelRepository
    private let logger: Logger
    /// When the certificate files were last changed, as far as is known.
    private let changed: Mutex<[Date?]>

    init(
        _ settings: ServerSettings, keys: KeyStore, certificates: CertificateStore?, repository: ModelRepository
    ) {
        source = settings.keys
        self.keys = keys
        self.certificates = certificates
        self.repository = repository
        logger = settings.logger
        changed = Mutex(Self.dates(of: certificates))
    }

    func reload() async -> ReloadReport {
        var report = ReloadReport()
        do {
            let read = try source.read()
            keys.replace(by: read)
            logger.notice("reloaded: \(read.count) keys")
        } catch {
            report.failures.append(error.description)
        }
        report.failures += reloadCertificates()
        report.models = await repository.reload()
        for name in report.models.loaded { logger.notice("reloaded: model '\(name)'") }
        for name in report.models.removed { logger.notice("reloaded: model '\(name)' is gone") }
        for failure in report.allFailures { logger.error("not reloaded: \(failure)") }
        return report
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
