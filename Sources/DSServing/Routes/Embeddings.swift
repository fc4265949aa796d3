import DSEngine
import DSSupport
import Hummingbird

/// `POST /v1/embeddings`: texts in, one vector of unit length for each.
struct Embeddings: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        router.post("/v1/embeddings") { request, context in
            let body = try EmbeddingBody(try await service.fields(of: request), catalog: service.catalog)
            let embeddings = try await compute(try body.tokens(), on: body.model, for: context)
            let vectors = embeddings.map { EmbeddingVector.normalized($0.values) }
            return Response.json(
                try body.answer(vectors, promptTokens: embeddings.reduce(0) { $0 + $1.usage.promptTokens }))
        }
    }

    var operations: [APIOperation] {
        [
            APIOperation(
                .post, "/v1/embeddings", tag: "OpenAI", "Texts to vectors", body: APIObject(FieldLists.embedding),
                failures: [400, 404, 413, 500, 503])
        ]
    }

    /// The embeddings of all inputs, in one batch as far as they fit; none if the client goes.
    private func compute(
        _ inputs: [[Int32]], on model: ServedModel, for context: ServingContext
    ) async throws -> [Embedding] {
        guard model.generator.engine.configuration.computesEmbeddings else {
            throw APIError.invalid(
                "'model': expected a server that was started with --embeddings, found one without", parameter: "model")
        }
        try model.check(answers: inputs.count)
        var options = TextOptions()
        options.cacheOwner = service.sharing.owner(context.tenant)
        let accounts = AnswerAccounts(context.record, of: context.tenant)
        // What the engine will refuse never began.
        if inputs.allSatisfy({ $0.count <= model.generator.engine.maximumContext }) {
            context.record.began(
                inputs.map { AnswerRecord(promptTokens: $0.count, isFirst: true, maxTokens: nil, sampling: nil) },
                perPrompt: 1, model: model.name)
        }
        let work = Task { [options] in
            try await withThrowingTaskGroup(of: (Int, Embedding?).self) { group in
                for (index, tokens) in inputs.enumerated() {
                    group.addTask {
                        let embedding = try await model.generator.embed(
                            .tokens(tokens), pooling: model.pooling, options: options
                        ) { _ = accounts.ended(index, $0) }
                        return (index, embedding)
                    }
                }
                var found: [Int: Embedding] = [:]
                for try await (index, embedding) in group {
                    found[index] = embedding
                }
                return inputs.indices.compactMap { found[$0] }
            }
        }
        let registration = service.connections.onClose(of: context.channel) { work.cancel() }
        defer { service.connections.remove(registration) }
        let found = try await work.value
        guard found.count == inputs.count else { throw CancellationError() }
        return found
    }
}
