import ArgumentParser
import DSBlockStores
import DSEngine
import DSServing
import Foundation
import Logging

/// Where computed prompts are kept below memory.
struct PrefixCacheOptions: ParsableArguments {
    @Option(
        help: "Keep the prefix cache in this directory, also for the next start; one folder in it for each model.",
        completion: .directory)
    var prefixCacheDir: String?
    @Option(
        help: "MiB that each model's folder may grow to; what was not used for longest goes first. (default: 10240)")
    var prefixCacheDirSize: Int?
    @Option(
        help: ArgumentHelp(
            "Keep computed prompts in a bucket, too, for all servers of the same model. Signs with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
            valueName: "s3://bucket/prefix"))
    var prefixCacheS3: String?
    @Option(help: "Address of the S3 API. (default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else that of the region)")
    var prefixCacheS3Endpoint: String?
    @Option(help: "Region of the bucket. (default: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1)")
    var prefixCacheS3Region: String?
    @Option(
        help:
            "Who shares computed prompts: the requests of one key's tenant, or all. Without keys all share. Requests with different cache_salt never do."
    )
    var prefixCacheSharing = PrefixCacheSharing.tenant

    func validate() throws {
        try Limits.check(prefixCacheDirSize, 1...(1 << 30), "--prefix-cache-dir-size (MiB)")
    }

    /// What the options say together, checked.
    func checked() throws -> PrefixCacheOptions {
        if prefixCacheDirSize != nil, prefixCacheDir == nil {
            throw ValidationError("--prefix-cache-dir-size: expected together with --prefix-cache-dir")
        }
        for (option, value) in [
            ("--prefix-cache-s3-endpoint", prefixCacheS3Endpoint), ("--prefix-cache-s3-region", prefixCacheS3Region),
        ] where value != nil && prefixCacheS3 == nil {
            throw ValidationError("\(option): expected together with --prefix-cache-s3")
        }
        _ = try bucket()
        return self
    }

    /// The store for the blocks of one model, which writes what fails to the log; nil if none is wanted.
    func store(for model: String, logger: Logger) throws -> (any BlockStore)? {
        func failures(_ tier: String) -> BlockFailures {
            BlockFailures { logger.warning("prefix cache of '\(model)', \(tier): \($0)") }
        }
        var tiers: [any BlockStore] = []
        if let prefixCacheDir {
            let folder = ModelPath.expanded(prefixCacheDir) + "/" + Self.folder(of: model)
            tiers.append(
                try DiskBlockStore(
                    directory: folder, byteLimit: (prefixCacheDirSize ?? 10_240) << 20, failures: failures("disk")))
        }
        if let (bucket, prefix) = try bucket() { tiers.append(try objectStore(bucket, prefix, failures("s3"))) }
        return tiers.count > 1 ? TieredBlockStore(tiers) : tiers.first
    }

    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    private func bucket() throws -> (name: String, prefix: String)? {
        guard let prefixCacheS3 else { return nil }
        let parts = prefixCacheS3.dropFirst(5).split(separator: "/", omittingEmptySubsequences: true)
        guard prefixCacheS3.hasPrefix("s3://"), let name = parts.first else {
            throw ValidationError("--prefix-cache-s3: expected s3://BUCKET[/PREFIX], found \(prefixCacheS3)")
        }
        return (String(name), parts.dropFirst().joined(separator: "/"))
    }

    private func objectStore(
        _ bucket: String, _ prefix: String, _ failures: BlockFailures
    ) throws -> ObjectBlockStore {
        func first(_ names: String...) -> String? {
            names.lazy.compactMap { Environment[$0] }.first { !$0.isEmpty }
        }
        guard let access = first("AWS_ACCESS_KEY_ID"), let secret = first("AWS_SECRET_ACCESS_KEY") else {
            throw ValidationError(
                "--prefix-cache-s3: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, found none"
            )
        }
        let region = prefixCacheS3Region ?? first("AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1"
        let endpoint =
            prefixCacheS3Endpoint ?? first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
            ?? "https://s3.\(region).amazonaws.com"
        return try ObjectBlockStore(
            ObjectBlockStore.Configuration(
                endpoint: endpoint, bucket: bucket, prefix: prefix, region: region,
                credentials: .init(
                    accessKey: access, secretKey: secret, sessionToken: first("AWS_SESSION_TOKEN"))),
            failures: failures)
    }

    /// A model's name as a name of one folder.
    private static func folder(of model: String) -> String {
        let name = model.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-_.")))
        return "model-" + (name ?? "")
    }
}

extension PrefixCacheSharing: ExpressibleByArgument {}
