/// A model that a repository has: where its versions lie and how it is to be served.
package struct ModelSource: Sendable {
    package enum Location: Sendable, Equatable {
        /// A file, or a folder with `config.json`.
        case path(String)
        /// The model that is linked into this program.
        case embedded
        /// A version's folder without a model in it.
        case missing(folder: String)
    }

    package let name: String
    package var versions: [Int: Location]
    package var configuration: ModelConfiguration
    /// Changes when the files do.
    package var fingerprint: String

    package init(name: String, versions: [Int: Location], configuration: ModelConfiguration, fingerprint: String = "") {
        self.name = name
        self.versions = versions
        self.configuration = configuration
        self.fingerprint = fingerprint
    }

    package func chosenVersions() throws(InferenceError) -> [Int] {
        let chosen = try configuration.versionPolicy.chosen(from: Array(versions.keys), model: name)
        guard !chosen.isEmpty else {
            throw .invalid(
                "model '\(name)': expected at least one version, a folder with a number as its name; found none")
        }
        return chosen
    }
}

/// What a repository's folder holds under one name.
package struct RepositoryItem: Sendable {
    package let name: String
    package let source: Result<ModelSource, InferenceError>

    package init(name: String, source: Result<ModelSource, InferenceError>) {
        self.name = name
        self.source = source
    }
}
