package import NIOSSL
import Synchronization

/// The certificate with which new connections are met. It can be replaced while the server runs; open connections keep
/// theirs.
package final class CertificateStore: Sendable {
    package struct Files: Sendable, Equatable {
        /// PEM: the server's certificate and those between it and the root.
        package var certificates: String
        /// PEM: the certificate's key, not encrypted.
        package var key: String
        /// PEM: the roots of clients' certificates; nil: the system's.
        package var clientRoots: String?
        package var clientCertificates: ClientCertificates

        package init(
            certificates: String, key: String, clientRoots: String? = nil,
            clientCertificates: ClientCertificates = .ignored
        ) {
            self.certificates = certificates
            self.key = key
            self.clientRoots = clientRoots
            self.clientCertificates = clientCertificates
        }

        package var paths: [String] { [certificates, key] + (clientRoots.map { [$0] } ?? []) }
    }

    /// What is asked of clients.
    package enum ClientCertificates: Sendable, Equatable {
        case ignored, optional, required
    }

    /// A certificate with those up to its root, and its key.
    package struct Material: Sendable {
        package let chain: [NIOSSLCertificateSource]
        package let key: NIOSSLPrivateKeySource
    }

    private struct Loaded: Sendable {
        let context: NIOSSLContext
        let material: Material
    }

    package let files: Files
    private let current: Mutex<Loaded>

    /// - Throws: `CertificateError` when a file cannot be used.
    package init(_ files: Files) throws(CertificateError) {
        self.files = files
        current = Mutex(try Self.load(files))
    }

    package var paths: [String] { files.paths }

    /// For a new connection.
    package var context: NIOSSLContext { current.withLock { $0.context } }

    /// What the context is made of.
    package var material: Material { current.withLock { $0.material } }

    /// Reads the files again; what was read before stays if they cannot be used.
    package func reload() throws(CertificateError) {
        let loaded = try Self.load(files)
        current.withLock { $0 = loaded }
    }

    private static func load(_ files: Files) throws(CertificateError) -> Loaded {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificates)
        } catch {
            throw CertificateError(path: files.certificates, expected: "certificates as PEM", found: "\(error)")
        }
        guard !chain.isEmpty else {
            throw CertificateError(path: files.certificates, expected: "certificates as PEM", found: "none")
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        } catch {
            throw CertificateError(path: files.key, expected: "a private key as PEM", found: "\(error)")
        }
        let material = Material(chain: chain.map { .certificate($0) }, key: .privateKey(key))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: material.chain, privateKey: material.key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let roots = files.clientRoots {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(roots))
            } catch {
                throw CertificateError(path: roots, expected: "certificates as PEM", found: "\(error)")
            }
        }
        switch files.clientCertificates {
        case .ignored: configuration.certificateVerification = .none
        case .optional: configuration.certificateVerification = .optionalVerification
        case .required: configuration.certificateVerification = .noHostnameVerification
        }
        do {
            return Loaded(context: try NIOSSLContext(configuration: configuration), material: material)
        } catch {
            throw CertificateError(
                path: files.key, expected: "the key of the first certificate in \(files.certificates)",
                found: "\(error)")
        }
    }
}

/// A file that cannot be used for TLS.
package struct CertificateError: Error, CustomStringConvertible {
    let path: String
    let expected: String
    let found: String

    package var description: String { "\(path): expected \(expected), found: \(found)" }
}
