package import DSSupport

/// What reading keys, certificates and models again has done.
package struct ReloadReport: Sendable {
    package var models = RepositoryChanges()
    /// Why keys or certificates are still those from before.
    package var failures: [String] = []

    package init() {}

    /// All that was not reloaded.
    package var allFailures: [String] { failures + models.failures }

    package var json: JSONValue {
        [
            "failures": .array(allFailures.map(JSONValue.text)),
            "models": [
                "loaded": .array(models.loaded.map(JSONValue.text)),
                "removed": .array(models.removed.map(JSONValue.text)),
            ],
        ]
    }
}
