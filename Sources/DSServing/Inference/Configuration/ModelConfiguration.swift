package import DSEngine
package import DSSupport

/// A model's configuration: what Triton calls `ModelConfig`, as far as it changes anything here.
package struct ModelConfiguration: Sendable {
    package var name: String
    package var platform = ""
    package var backend = ""
    /// Rows that one request may have; 0: the model's tensors have no batch dimension.
    package var maxBatchSize = 0
    package var inputs: [TensorSpecification] = []
    package var outputs: [TensorSpecification] = []
    package var versionPolicy = VersionPolicy.latest(1)
    /// How requests are joined; `nil`: they are not.
    package var batching: BatchingPolicy?
    /// Batches that are computed at the same time.
    package var instances = 1
    /// A request may have any number of answers.
    package var isDecoupled = false
    /// The file of a version's folder that holds the model; `nil`: the one that is there.
    package var defaultFilename: String?
    package var parameters: [String: String] = [:]
    /// Fields that the file had and that change nothing here.
    package private(set) var ignoredFields: [String] = []
    /// The configuration as it was given.
    private var given = JSONObject()

    /// Fields that this server reads. The rest of Triton's are accepted and reported.
    private static let known: Set<String> = [
        "name", "platform", "backend", "max_batch_size", "input", "output", "version_policy", "dynamic_batching",
        "instance_group", "model_transaction_policy", "default_model_filename", "parameters",
    ]

    private static let knownOfInstances: Set<String> = ["name", "kind", "count", "passive"]

    package init(name: String) { self.name = name }

    /// Reads a `config.pbtxt`.
    /// - Parameter name: the model's folder; the configuration may leave its name out, but not name another.
    package init(text: [UInt8], name: String, source: String) throws(InferenceError) {
        try self.init(checked: try ConfigurationText.parse(text, source: source), name: name, source: source)
    }

    /// Reads a configuration in JSON.
    package init(json: JSONValue, name: String, source: String) throws(InferenceError) {
        try self.init(checked: try ConfigurationJSON(source: source).checked(json), name: name, source: source)
    }

    private init(checked object: JSONObject, name: String, source: String) throws(InferenceError) {
        self.name = name
        given = object
        if let other = object["name"]?.stringValue, !other.isEmpty, other != name {
            throw .invalid("\(source): field 'name': expected '\(name)', as the model's folder, found '\(other)'")
        }
        platform = object["platform"]?.stringValue ?? ""
        backend = object["backend"]?.stringValue ?? ""
        maxBatchSize = object["max_batch_size"]?.intValue ?? 0
        guard maxBatchSize >= 0 else {
            throw .invalid("\(source): field 'max_batch_size': expected at least 0, found \(maxBatchSize)")
        }
        inputs = try Self.tensors(object, "input", source)
        outputs = try Self.tensors(object, "output", source)
        versionPolicy = try Self.versionPolicy(object["version_policy"], source)
        isDecoupled = object["model_transaction_policy"]?["decoupled"]?.boolValue ?? false
        defaultFilename = object["default_model_filename"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        for member in object["parameters"]?.objectValue?.members ?? [] {
            parameters[member.key.string] = member.value["string_value"]?.stringValue ?? ""
        }
        ignoredFields = object.keys.map(\.string).filter { !Self.known.contains($0) }
        try readInstances(object["instance_group"]?.arrayValue ?? [], source)
        if let value = object["dynamic_batching"] {
            batching = try Self.batching(value, maxBatchSize: maxBatchSize, source)
        }
    }

    private mutating func readInstances(_ groups: [JSONValue], _ source: String) throws(InferenceError) {
        guard !groups.isEmpty else { return }
        instances = 0
        for group in groups {
            guard group["passive"]?.boolValue != true else {
                throw .invalid("\(source): instance_group.passive: expected false, found true")
            }
            for field in (group.objectValue?.keys ?? []).map(\.string) where !Self.knownOfInstances.contains(field) {
                let path = "instance_group." + field
                if !ignoredFields.contains(path) { ignoredFields.append(path) }
            }
            let kind = group["kind"]?.stringValue ?? "KIND_AUTO"
            guard kind != "KIND_GPU" else {
                throw .invalid("\(source): instance_group: expected KIND_AUTO, KIND_CPU or KIND_MODEL, found KIND_GPU")
            }
            // 0 means what a group without a count means.
            instances += max(1, group["count"]?.intValue ?? 1)
        }
        guard (1...1024).contains(instances) else {
            throw .invalid("\(source): instance_group: expected 1...1024 instances, found \(instances)")
        }
    }

    private static func tensors(
        _ object: JSONObject, _ kind: String, _ source: String
    ) throws(InferenceError) -> [TensorSpecification] {
        var tensors: [TensorSpecification] = []
        for (index, entry) in (object[kind]?.arrayValue ?? []).enumerated() {
            let tensor = try TensorSpecification(
                entry.objectValue ?? JSONObject(), source: source, kind: kind, index: index)
            guard !tensors.contains(where: { $0.name == tensor.name }) else {
                throw .invalid("\(source): \(kind)[\(index)]: expected a name of its own, found '\(tensor.name)' twice")
            }
            tensors.append(tensor)
        }
        return tensors
    }

    private static func versionPolicy(_ value: JSONValue?, _ source: String) throws(InferenceError) -> VersionPolicy {
        guard let object = value?.objectValue, let choice = object.members.first else { return .latest(1) }
        guard object.count == 1 else {
            throw .invalid(
                "\(source): version_policy: expected one of latest, all and specific, found \(object.count)")
        }
        switch choice.key {
        case "all": return .all
        case "specific":
            let versions = choice.value["versions"]?.arrayValue?.compactMap(\.intValue) ?? []
            guard !versions.isEmpty else {
                throw .invalid("\(source): version_policy.specific: expected versions, found none")
            }
            return .specific(versions)
        default: return .latest(max(1, choice.value["num_versions"]?.intValue ?? 1))
        }
    }

    /// The configuration as Triton answers with it: what was given, and what follows from it.
    package var json: JSONValue {
        let group: JSONValue = ["name": .text(name), "kind": "KIND_CPU", "count": .integer(Int64(instances))]
        var object = JSONObject()
        object["name"] = .text(name)
        object["platform"] = .text(platform)
        object["backend"] = .text(backend)
        object["version_policy"] = versionPolicy.json
        object["max_batch_size"] = .integer(Int64(maxBatchSize))
        object["input"] = .array(inputs.map(\.json))
        object["output"] = .array(outputs.map(\.json))
        object["instance_group"] = [group]
        object["default_model_filename"] = .text(defaultFilename ?? "")
        object["model_transaction_policy"] = ["decoupled": .bool(isDecoupled)]
        // Whether there is one answer or many is the model's, too.
        let own: Set<String> = ["name", "model_transaction_policy"]
        for member in given.members where !own.contains(member.key.string) { object[member.key] = member.value }
        return .object(object)
    }
}

extension VersionPolicy {
    fileprivate var json: JSONValue {
        switch self {
        case .latest(let count): ["latest": ["num_versions": .integer(Int64(count))]]
        case .all: ["all": [:]]
        case .specific(let versions): ["specific": ["versions": .array(versions.map { .integer(Int64($0)) })]]
        }
    }
}
