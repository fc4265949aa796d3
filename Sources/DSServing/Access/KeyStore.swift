import Synchronization

/// The keys that the server accepts now. They can be replaced while it runs.
package final class KeyStore: Sendable {
    /// Who shows a key, and what it allows.
    package struct Grant: Sendable {
        package let tenant: Tenant
        package let scopes: Set<APIKey.Scope>
    }

    private struct Entry {
        let digest: [UInt8]
        let grant: Grant
    }

    private let entries: Mutex<[Entry]>

    package init(_ keys: [APIKey]) { entries = Mutex(Self.entries(of: keys, keeping: [])) }

    /// Without keys everybody may use the server.
    package var isOpen: Bool { entries.withLock { $0.isEmpty } }

    package var hasAdministrator: Bool { entries.withLock { $0.contains { $0.grant.scopes.contains(.admin) } } }

    /// Accepts `keys` and no others from now on. Tenants whose limits stay keep what they have used.
    package func replace(by keys: [APIKey]) {
        entries.withLock { $0 = Self.entries(of: keys, keeping: $0) }
    }

    private static func entries(of keys: [APIKey], keeping old: [Entry]) -> [Entry] {
        var tenants: [String: Tenant] = [:]
        return keys.map { key in
            let known = tenants[key.name] ?? old.first { $0.grant.tenant.name == key.name }?.grant.tenant
            let tenant =
                known.flatMap { $0.limits == key.limits ? $0 : nil } ?? Tenant(name: key.name, limits: key.limits)
            tenants[key.name] = tenant
            return Entry(digest: key.digest, grant: Grant(tenant: tenant, scopes: key.scopes))
        }
    }

    /// What `secret` allows; nil: it is no key.
    ///
    /// Digests are compared, all of them and all their bytes: the time tells nothing about how near a guess is.
    package func grant(for secret: String) -> Grant? {
        let digest = APIKey.digest(of: secret)
        return entries.withLock { entries in
            var found: Grant?
            for entry in entries where Self.isEqual(entry.digest, digest) { found = entry.grant }
            return found
        }
    }

    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
