import ArgumentParser
import DSServing

/// TLS, with the options' names as Python's servers have them.
struct TLSOptions: ParsableArguments {
    @Option(
        help: "The certificate and those between it and the root, as PEM. With --ssl-keyfile: HTTPS.",
        completion: .file())
    var sslCertfile: String?
    @Option(help: "The certificate's private key, as PEM, not encrypted.", completion: .file())
    var sslKeyfile: String?
    @Option(help: "Roots of clients' certificates, as PEM.", completion: .file())
    var sslCaCerts: String?
    @Option(help: "Clients' certificates: none (0), optional (1) or required (2).")
    var sslCertReqs = ClientCertificatesOption.none
    @Flag(help: "Look for changed certificate files every 2 seconds; SIGHUP always reads them again.")
    var enableSslRefresh = false

    func files() throws -> CertificateStore.Files? {
        guard let certificates = sslCertfile, let key = sslKeyfile else {
            let given = [
                ("--ssl-certfile", sslCertfile != nil), ("--ssl-keyfile", sslKeyfile != nil),
                ("--ssl-ca-certs", sslCaCerts != nil), ("--ssl-cert-reqs", sslCertReqs != .none),
                ("--enable-ssl-refresh", enableSslRefresh),
            ]
            guard let option = given.first(where: \.1)?.0 else { return nil }
            let missing = [("--ssl-certfile", sslCertfile), ("--ssl-keyfile", sslKeyfile)].filter { $0.1 == nil }
            let names = missing.map(\.0).joined(separator: " and ")
            throw ValidationError("\(option): expected \(names) beside it, found none")
        }
        guard (sslCaCerts != nil) == (sslCertReqs != .none) else {
            throw ValidationError(
                sslCaCerts == nil
                    ? "--ssl-cert-reqs \(sslCertReqs.rawValue): expected --ssl-ca-certs beside it, found none"
                    : "--ssl-ca-certs: expected --ssl-cert-reqs optional or required beside it, found none")
        }
        return CertificateStore.Files(
            certificates: ModelPath.expanded(certificates), key: ModelPath.expanded(key),
            clientRoots: sslCaCerts.map(ModelPath.expanded), clientCertificates: sslCertReqs.kind)
    }
}

/// What is asked of clients, by words and by the numbers of Python's `ssl`.
enum ClientCertificatesOption: String, ExpressibleByArgument, CaseIterable {
    case none, optional, required

    init?(argument: String) {
        switch argument {
        case "0": self = .none
        case "1": self = .optional
        case "2": self = .required
        default: self.init(rawValue: argument)
        }
    }

    var kind: CertificateStore.ClientCertificates {
        switch self {
        case .none: .ignored
        case .optional: .optional
        case .required: .required
        }
    }
}
