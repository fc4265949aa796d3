// swift-tools-version: 6.2
import PackageDescription

// One row per target of ARCHITECTURE.md; a target imports only from rows above it.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let numeric: [SwiftSetting] = strict + [.strictMemorySafety()]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioCertificates = Target.Dependency.product(name: "NIOCertificateReloading", package: "swift-nio-extras")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let grpc = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "deepseek",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "DeepSeek", targets: ["DeepSeek"]),
        .executable(name: "deepseek", targets: ["DeepSeekTool"]),
        .executable(name: "deepseek-server", targets: ["ServerTool"]),
        .executable(name: "ds-convert", targets: ["ConvertTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    ],
    targets: [
        // Row 0
        .target(name: "CDSKernels"),
        .target(name: "CDSDefaultModel", exclude: ["default.ds"]),
        .target(name: "DSSupport", swiftSettings: numeric),
        // Row 1
        .target(name: "DSTensor", dependencies: ["DSSupport"], swiftSettings: numeric),
        // Row 2
        .target(name: "DSKernels", dependencies: ["CDSKernels", "DSTensor", "DSSupport"], swiftSettings: numeric),
        .target(name: "DSFormats", dependencies: ["DSTensor", "DSSupport"], swiftSettings: numeric),
        .target(name: "DSTokenizers", dependencies: ["DSSupport"], swiftSettings: strict),
        // Row 3
        .target(name: "DSGraph", dependencies: ["DSKernels", "DSTensor", "DSSupport"], swiftSettings: numeric),
        .target(name: "DSGrammar", dependencies: ["DSSupport"], swiftSettings: strict),
        // Row 4
        .target(
            name: "DSModels",
            dependencies: ["DSGraph", "DSFormats", "DSKernels", "DSTensor", "DSSupport", "CDSDefaultModel"],
            swiftSettings: strict),
        // Row 5
        .target(
            name: "DSEngine",
            dependencies: [
                "DSModels", "DSGrammar", "DSGraph", "DSKernels", "DSTokenizers", "DSFormats", "DSTensor", "DSSupport",
                crypto,
            ],
            swiftSettings: strict),
        // Row 6
        .target(
            name: "DSEvaluation",
            dependencies: ["DSEngine", "DSModels", "DSTokenizers", "DSSupport", "CDSDefaultModel", grdb, sqlite],
            swiftSettings: strict),
        .target(
            name: "DSObservability", dependencies: ["DSSupport", logging, metrics, tracing, httpClient, nio, nioHTTP1],
            swiftSettings: numeric),
        .target(
            name: "DSServing",
            dependencies: [
                "DSEngine", "DSObservability", "DSGrammar", "DSTokenizers", "DSSupport", hummingbird, hummingbirdCore,
                httpTypes, nio, nioHTTPTypes, nioSSL, lifecycle, crypto, logging, metrics, tracing,
            ],
            swiftSettings: strict),
        .target(
            name: "DSBlockStores", dependencies: ["DSEngine", "DSSupport", crypto, httpClient, nio, nioHTTP1],
            swiftSettings: strict),
        .target(
            name: "DSLoadTest", dependencies: ["DSSupport", httpClient, nio, nioHTTP1, nioPosix], swiftSettings: strict),
        .target(
            name: "DSServingGRPC",
            dependencies: [
                "DSServing", "DSEngine", "DSSupport", grpc, grpcTransport, nioCertificates, nioSSL, logging,
            ],
            swiftSettings: strict),
        // Row 7
        .target(
            name: "DeepSeek", dependencies: ["DSEngine", "DSModels", "DSTokenizers", "DSFormats", "DSTensor"],
            swiftSettings: strict),
        .target(
            name: "DSCommands",
            dependencies: [
                "DSServing", "DSServingGRPC", "DSObservability", "DSLoadTest", "DSEvaluation", "DSBlockStores",
                "DSEngine", "DSModels", "DSGrammar", "DSGraph", "DSKernels", "DSTokenizers", "DSFormats", "DSTensor",
                "DSSupport", argumentParser, crypto, logging, metrics, yams,
            ],
            swiftSettings: strict),
        // Row 8
        .executableTarget(name: "DeepSeekTool", dependencies: ["DSCommands", argumentParser], swiftSettings: strict),
        .executableTarget(name: "ServerTool", dependencies: ["DSCommands", argumentParser], swiftSettings: strict),
        .executableTarget(name: "ConvertTool", dependencies: ["DSCommands", argumentParser], swiftSettings: strict),
        // Tests mirror Sources.
        .target(name: "CDSTestSupport", path: "Tests/CDSTestSupport"),
        .target(name: "DSTestSupport", path: "Tests/DSTestSupport", swiftSettings: strict),
        .testTarget(name: "DSSupportTests", dependencies: ["DSSupport", "DSTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "DSKernelsTests", dependencies: ["DSKernels", "DSTensor", "DSFormats", "DSTestSupport"],
            swiftSettings: strict),
        .testTarget(name: "DSFormatsTests", dependencies: ["DSFormats", "DSTensor"], swiftSettings: strict),
        .testTarget(
            name: "DSTokenizersTests", dependencies: ["DSTokenizers", "DSSupport", "DSTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DSGraphTests",
            dependencies: ["DSGraph", "DSTensor", "DSKernels", "DSSupport", "CDSTestSupport", "DSTestSupport"],
            swiftSettings: strict),
        .testTarget(name: "DSGrammarTests", dependencies: ["DSGrammar", "DSSupport"], swiftSettings: strict),
        .testTarget(
            name: "DSModelsTests",
            dependencies: ["DSModels", "DSGraph", "DSFormats", "DSKernels", "DSTensor", "DSSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DSEngineTests",
            dependencies: [
                "DSEngine", "DSGrammar", "DSModels", "DSTokenizers", "DSKernels", "DSGraph", "DSFormats", "DSTensor",
                "DSSupport", "CDSTestSupport", "DSTestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "DSObservabilityTests",
            dependencies: ["DSObservability", "DSSupport", "DSTestSupport", logging, metrics, tracing],
            swiftSettings: strict),
        .testTarget(
            name: "DSServingTests",
            dependencies: [
                "DSServing", "DSEngine", "DSObservability", "DSSupport", "DSTestSupport", httpTypes, hummingbird,
                hummingbirdTesting,
                logging, metrics,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DSBlockStoresTests", dependencies: ["DSBlockStores", "DSEngine", "DSSupport", crypto],
            swiftSettings: strict),
        .testTarget(name: "DSLoadTestTests", dependencies: ["DSLoadTest", "DSSupport"], swiftSettings: strict),
        .testTarget(name: "DSEvaluationTests", dependencies: ["DSEvaluation", "DSSupport"], swiftSettings: strict),
        .testTarget(
            name: "DSCommandsTests", dependencies: ["DSCommands", "DSServing", argumentParser, yams],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu11
)
