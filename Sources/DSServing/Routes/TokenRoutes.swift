import DSEngine
import DSSupport
import Hummingbird

/// Texts to token ids and back, in the forms of vLLM and llama-server, and what a conversation's prompt looks like.
struct TokenRoutes: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        for path in ["/tokenize", "/v1/tokenize"] {
            router.post(RouterPath(path)) { request, _ in try await tokenize(request) }
        }
        for path in ["/detokenize", "/v1/detokenize"] {
            router.post(RouterPath(path)) { request, _ in try await detokenize(request) }
        }
        router.post("/apply-template") { request, _ in
            let (model, tokens) = try await prompt(of: request)
            return Response.json(["prompt": .text(model.generator.spelling(of: tokens))])
        }
        router.post("/v1/chat/completions/input_tokens") { request, _ in
            let (_, tokens) = try await prompt(of: request)
            return Response.json([
                "object": "response.input_tokens", "input_tokens": .integer(Int64(tokens.count)),
            ])
        }
    }

    var operations: [APIOperation] {
        let conversation = APIObject([FieldLists.model] + FieldLists.conversation)
        func post(_ path: String, _ summary: String, _ body: APIObject) -> APIOperation {
            APIOperation(.post, path, tag: "Tokens", summary, body: body, failures: [400, 404, 413])
        }
        return ["/tokenize", "/v1/tokenize"].map { post($0, "Text or messages to token ids", APIObject(Self.texts)) }
            + ["/detokenize", "/v1/detokenize"].map { post($0, "Token ids to text", APIObject(Self.ids)) }
            + [
                post("/apply-template", "The prompt of a conversation", conversation),
                post("/v1/chat/completions/input_tokens", "The length of a conversation's prompt", conversation),
            ]
    }

    private static let texts = [
        FieldLists.model,
        APIField("prompt", APISchema.string, "A text."),
        APIField("messages", APISchema.array(APISchema.object), "A conversation instead."),
        APIField("content", APISchema.string, "A text; the answer has llama-server's form."),
        APIField("add_special_tokens", APISchema.boolean, "The text begins with the model's first token."),
        APIField("return_token_strs", APISchema.boolean, "The answer has the text of every token."),
        APIField("add_special", APISchema.boolean, "llama-server's name of add_special_tokens."),
        APIField("parse_special", APISchema.boolean, "Control tokens in content are read as such."),
        APIField("with_pieces", APISchema.boolean, "llama-server's name of return_token_strs."),
    ]

    private static let ids = [
        FieldLists.model, APIField("tokens", APISchema.integers, "Token ids.", required: true),
    ]

    private func tokenize(_ request: Request) async throws -> Response {
        let body = try TokenizeBody(try await service.fields(of: request), catalog: service.catalog)
        let generator = body.model.generator
        switch body.style {
        case .llama:
            guard body.wantsPieces else { return .json(["tokens": .ids(body.tokens)]) }
            let pieces = body.tokens.map { id -> JSONValue in
                let bytes = generator.bytes(of: id)
                let text = String(validating: bytes, as: UTF8.self).map(JSONValue.text)
                return [
                    "id": .integer(Int64(id)), "piece": text ?? .array(bytes.map { .integer(Int64($0)) }),
                ]
            }
            return .json(["tokens": .array(pieces)])
        case .vllm:
            var object = JSONObject([
                ("count", .integer(Int64(body.tokens.count))),
                ("max_model_len", .integer(Int64(generator.engine.maximumContext))), ("tokens", .ids(body.tokens)),
            ])
            if body.wantsPieces {
                object["token_strs"] = .array(body.tokens.map { .text(generator.spelling(of: [$0])) })
            }
            return .json(.object(object))
        }
    }

    private func detokenize(_ request: Request) async throws -> Response {
        let fields = try await service.fields(of: request)
        let model = try service.catalog.model(named: try fields.string("model"))
        guard fields.value("tokens") != nil else {
            throw APIError.field("tokens", expected: "an array of token ids", found: nil)
        }
        let tokens = try SamplingFields.tokens(fields, "tokens")
        let size = model.generator.engine.vocabularySize
        for (index, token) in tokens.enumerated() where !(0..<size).contains(Int(token)) {
            throw APIError.field(
                "tokens[\(index)]", expected: "a token id in 0..<\(size)", found: .integer(Int64(token)))
        }
        // vLLM's clients read one name, llama-server's the other.
        let text = JSONValue.text(model.generator.spelling(of: tokens))
        return .json(["prompt": text, "content": text])
    }

    private func prompt(of request: Request) async throws -> (ServedModel, [Int32]) {
        let fields = try await service.fields(of: request)
        let model = try service.catalog.model(named: try fields.string("model"))
        return (model, try model.generator.chatTokens(try ConversationFields(fields).request))
    }
}
