internal import AsyncHTTPClient
internal import Crypto
package import DSEngine
import DSSupport
internal import Dispatch
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
import Synchronization

/// Blocks as objects of a bucket, over the S3 API: one object per block (`BlockFile`), shared by everybody with the same
/// prefix. The bucket's own rules limit its size and remove what is old.
package final class ObjectBlockStore: BlockStore {
    package struct Configuration: Sendable {
        /// `https://HOST[:PORT]`, without a path; objects are addressed as `/BUCKET/PREFIX/KEY`.
        package var endpoint: String
        package var bucket: String
        /// In front of every key, without slashes at its ends; may be empty.
        package var prefix: String
        package var region: String
        package var credentials: SignatureV4.Credentials
        /// A request that takes longer fails: computing the block is soon the better way.
        package var timeout = Duration.seconds(5)
        /// Bytes of blocks that may wait to be written, or be on their way; more are dropped.
        package var pendingLimit = 256 << 20
        /// Requests that may be under way at the same time.
        package var concurrency = 8

        package init(
            endpoint: String, bucket: String, prefix: String, region: String, credentials: SignatureV4.Credentials
        ) {
            self.endpoint = endpoint
            self.bucket = bucket
            self.prefix = prefix
            self.region = region
            self.credentials = credentials
        }
    }

    package let name = "s3"

    private struct State {
        var statistics = BlockStoreStatistics(name: "s3")
        var pendingBytes = 0
        var isClosed = false
        var nextTask: UInt64 = 0
        var loads: [UInt64: Task<Void, Never>] = [:]
        var stores: [UInt64: Task<Void, Never>] = [:]
    }

    private let configuration: Configuration
    private let host: String
    private let signer: SignatureV4
    private let state = Mutex(State())
    private let turns: Turns
    private let failures: BlockFailures?
    /// Stores that are under way.
    private let storing = DispatchGroup()

    /// - Parameter failures: is told what cannot be read or written.
    /// - Throws: `BlockStoreError.setting` for an endpoint or a bucket that no request can be sent to.
    package init(_ configuration: Configuration, failures: BlockFailures? = nil) throws(BlockStoreError) {
        guard let url = URL(string: configuration.endpoint), let host = url.host, !host.isEmpty,
            url.scheme == "https" || url.scheme == "http", url.path.isEmpty || url.path == "/"
        else {
            throw .setting(
                "S3 endpoint", expected: "https://HOST[:PORT] without a path", found: configuration.endpoint)
        }
        let isName = configuration.bucket.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
        }
        guard isName, (3...63).contains(configuration.bucket.utf8.count) else {
            throw .setting(
                "S3 bucket", expected: "3 to 63 lower-case letters, digits, dots and hyphens",
                found: configuration.bucket)
        }
        self.configuration = configuration
        self.host = url.port.map { "\(host):\($0)" } ?? host
        signer = SignatureV4(credentials: configuration.credentials, region: configuration.region)
        turns = Turns(configuration.concurrency)
        self.failures = failures
    }

    // MARK: Loads and stores

    package func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void) {
        let isOpen = state.withLock { state in
            state.statistics.queries += 1
            guard !state.isClosed else { return false }
            state.nextTask += 1
            let id = state.nextTask
            state.loads[id] = Task { [self] in
                let result = await get(key)
                note(key, result)
                completion(result)
                remove(load: id)
            }
            return true
        }
        if !isOpen { completion(.failed("the store is closed")) }
    }

    package func store(_ key: BlockKey, _ bytes: [UInt8]) {
        state.withLock { state in
            guard !state.isClosed, state.pendingBytes + bytes.count <= configuration.pendingLimit else {
                state.statistics.dropped += 1
                return
            }
            state.pendingBytes += bytes.count
            state.nextTask += 1
            let id = state.nextTask
            storing.enter()
            state.stores[id] = Task { [self] in
                let failure = await put(key, bytes)
                if let failure, !Task.isCancelled {
                    failures?.note("\(place(of: key)) could not be written: \(failure)", of: .writing)
                }
                finish(store: id, bytes.count, isStored: failure == nil)
                storing.leave()
            }
        }
    }

    private func remove(load id: UInt64) { state.withLock { state in state.loads[id] = nil } }

    private func note(_ key: BlockKey, _ result: BlockLoad) {
        if case .failed(let reason) = result, !Task.isCancelled {
            failures?.note("\(place(of: key)) could not be read: \(reason)", of: .reading)
        }
        state.withLock { state in
            switch result {
            case .found(let bytes):
                state.statistics.hits += 1
                state.statistics.readBytes += bytes.count
            case .missing: break
            case .failed: state.statistics.failures += 1
            }
        }
    }

    private func finish(store id: UInt64, _ byteCount: Int, isStored: Bool) {
        state.withLock { state in
            state.stores[id] = nil
            state.pendingBytes -= byteCount
            if isStored {
                state.statistics.stored += 1
                state.statistics.writtenBytes += byteCount
            } else {
                state.statistics.failures += 1
            }
        }
    }

    package func close(within limit: Duration) {
        let loads = state.withLock { state in
            state.isClosed = true
            return Array(state.loads.values)
        }
        for load in loads { load.cancel() }
        // Called by the thread that computes, which is not one of those that tasks run on.
        _ = storing.wait(timeout: .now() + limit / .seconds(1))
        for store in state.withLock({ Array($0.stores.values) }) { store.cancel() }
    }

    package var statistics: [BlockStoreStatistics] { state.withLock { [$0.statistics] } }

    // MARK: Requests

    private func get(_ key: BlockKey) async -> BlockLoad {
        do {
            let (status, body) = try await send("GET", key, [], digest: Self.digestOfNothing)
            switch status {
            case 200: return .found(try BlockFile.decode(body, as: key))
            case 404: return .missing
            default: return .failed(Self.text(status, body))
            }
        } catch {
            return .failed("\(error)")
        }
    }

    /// Returns why it failed; nil if it did not.
    private func put(_ key: BlockKey, _ bytes: [UInt8]) async -> String? {
        let (file, digest) = BlockFile.encode(key, bytes)
        do {
            let (status, body) = try await send("PUT", key, file, digest: digest)
            return (200..<300).contains(status) ? nil : Self.text(status, body)
        } catch {
            return "\(error)"
        }
    }

    private static func text(_ status: UInt, _ body: [UInt8]) -> String {
        "status \(status): \(String(decoding: body.prefix(200), as: UTF8.self))"
    }

    private func place(of key: BlockKey) -> String { "\(configuration.bucket)/\(key).block" }

    private static let digestOfNothing = Array(SHA256.hash(data: [UInt8]()))

    private func send(
        _ method: String, _ key: BlockKey, _ body: [UInt8], digest: [UInt8]
    ) async throws -> (status: UInt, body: [UInt8]) {
        try await turns.take()
        defer { turns.giveBack() }
        let prefix = configuration.prefix.isEmpty ? "" : Self.encoded(configuration.prefix) + "/"
        let path = "/\(configuration.bucket)/\(prefix)\(key).block"
        let base =
            configuration.endpoint.hasSuffix("/") ? String(configuration.endpoint.dropLast()) : configuration.endpoint
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        let signed = signer.headers(
            method: method, host: host, path: path, payloadDigest: digest.hexadecimal,
            seconds: Int(Date().timeIntervalSince1970))
        for (name, value) in signed where name != "host" { request.headers.add(name: name, value: value) }
        if !body.isEmpty { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(
            request, timeout: .nanoseconds(Int64(configuration.timeout / .nanoseconds(1))))
        // Blocks have one length per model, which is not known here: a bound against servers that send something else.
        let content = try await response.body.collect(upTo: 1 << 30)
        return (response.status.code, Array(content.readableBytesView))
    }

    /// A path segment by segment in RFC 3986's unreserved characters.
    static func encoded(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return path.utf8.map { byte -> String in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E:
                String(UnicodeScalar(byte))
            default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }.joined()
    }
}
