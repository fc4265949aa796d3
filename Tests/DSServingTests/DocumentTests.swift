import DSServing
import DSSupport
import Logging
import Testing

@Suite struct DocumentTests {
    private var server: DeepSeekServer {
        let logger = Logger(label: "test")
        let loader = ModelLoader(open: { name, _, _ in throw InferenceError(.notFound, name) }, need: { _ in 0 })
        let repository = ModelRepository(
            options: .init(), catalog: ModelCatalog([]), loader: loader, logger: logger, scan: { [] })
        return DeepSeekServer(
            catalog: ModelCatalog([]), inference: InferenceService(repository: repository), configuration: .init(),
            logger: logger)
    }

    /// Each route is described, and nothing else is.
    @Test func theDocumentHasEveryRoute() {
        let (served, described) = server.servedAndDescribed
        #expect(served.count > 10)
        #expect(Set(served).subtracting(described) == [], "routes without an operation in their group")
        #expect(Set(described).subtracting(served) == [], "operations without a route")
        #expect(described.count == Set(described).count, "an operation is described twice")
    }

    @Test func optionalFieldsMayBeNull() {
        let schema = APIObject([
            APIField("a", APISchema.integer(1...2), "note", required: true), APIField("b", APISchema.string, ""),
            APIField("c", APISchema.words("x"), ""), APIField("d", APISchema.either(APISchema.string), ""),
        ]).schema
        #expect(schema["required"] == ["a"])
        #expect(schema["properties"]?["a"]?["type"] == "integer")
        #expect(schema["properties"]?["a"]?["description"] == "note")
        #expect(schema["properties"]?["b"]?["type"] == ["string", "null"])
        #expect(schema["properties"]?["c"]?["enum"] == ["x", nil])
        #expect(schema["properties"]?["d"]?["anyOf"] == [["type": "string"], ["type": "null"]])
    }
}
