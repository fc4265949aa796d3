import DSServing
import NIOCertificateReloading
import NIOSSL

/// The certificate that is current when a connection opens: that of HTTP.
struct CertificateSource: CertificateReloader {
    let store: CertificateStore

    var sslContextConfigurationOverride: NIOSSLContextConfigurationOverride {
        let material = store.material
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = material.chain
        override.privateKey = material.key
        return override
    }
}
