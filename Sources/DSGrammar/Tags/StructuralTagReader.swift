internal import DSSupport

/// Reads structural tags as sources of other kinds.
struct StructuralTagReader {
    private let limits: GrammarLimits
    private let work: GrammarWork

    /// A tag whose begin is text: what its trigger is looked for in.
    private struct Tag {
        let begin: String
        /// Content and end.
        let body: GrammarSource
        let path: String
    }

    static func read(
        _ source: StructuralTagSource, limits: GrammarLimits, work: GrammarWork
    ) throws(GrammarError) -> GrammarSource {
        guard source.text.count <= limits.sourceBytes else {
            throw .tooLarge(what: "bytes of a structural tag", limit: limits.sourceBytes)
        }
        try work.charge(source.text.count)
        let value: JSONValue
        do {
            value = try JSONValue.parse(source.text)
        } catch {
            throw .malformed(what: "structural tag", expected: "JSON", found: error.description)
        }
        let root = try TagNode(value, path: "")
        if root.value("type") != nil, root.value("type")?.stringValue != "structural_tag" {
            throw root.wrong("type", expected: "\"structural_tag\"")
        }
        let reader = StructuralTagReader(limits: limits, work: work)
        if root.value("structures") == nil {
            try root.hasOnly("type", "format")
            return try reader.format(try root.node("format"), ends: [], depth: 0)
        }
        try root.hasOnly("type", "structures", "triggers", "at_least_one", "stop_after_first")
        var tags: [Tag] = []
        for node in try root.nodes("structures") {
            try node.hasOnly("begin", "schema", "end")
            let content = GrammarSource.jsonSchema(JSONSchemaSource(try node.schema("schema")))
            let body = GrammarSource.sequence([content, .spelled(try node.string("end"))])
            tags.append(Tag(begin: try node.string("begin"), body: body, path: node.path))
        }
        return try reader.triggered(root, tags, excluded: [])
    }

    /// - Parameter ends: texts that end the tag around it, and so its free text.
    private func format(_ node: TagNode, ends: [String], depth: Int) throws(GrammarError) -> GrammarSource {
        guard depth < limits.depth else { throw .tooLarge(what: "nesting of a structural tag", limit: limits.depth) }
        try work.charge(20)
        let type = try node.string("type")
        switch type {
        case "const_string":
            try node.hasOnly("type", "value")
            return .spelled(try node.string("value"))
        case "grammar":
            try node.hasOnly("type", "grammar")
            return .gbnf(try node.string("grammar"))
        case "regex":
            try node.hasOnly("type", "pattern")
            return .regex(try node.string("pattern"))
        case "json_schema": return try jsonSchema(node)
        case "any_text": return .freeText(try freeText(node, ends))
        case "token": return try token(node)
        case "sequence", "or":
            try node.hasOnly("type", "elements")
            var parts: [GrammarSource] = []
            for element in try node.nodes("elements") {
                parts.append(try format(element, ends: ends, depth: depth + 1))
            }
            return type == "or" ? .either(parts) : .sequence(parts)
        case "optional", "star", "plus", "repeat":
            let (least, most) = try counts(node, type)
            return .repeated(
                try format(try node.node("content"), ends: ends, depth: depth + 1), atLeast: least, atMost: most)
        case "tag":
            let (begin, body) = try tag(node, depth)
            return .sequence([begin, body])
        case "triggered_tags":
            try node.hasOnly("type", "triggers", "tags", "at_least_one", "stop_after_first", "excludes")
            return try triggered(node, try textTags(node, depth), excluded: try node.strings("excludes") + ends)
        case "tags_with_separator": return try separated(node, depth)
        case "dispatch": return try dispatch(node, ends, depth)
        default:
            throw .unsupported(
                keyword: type, path: node.place("type"),
                reason:
                    "expected const_string, json_schema, grammar, regex, any_text, sequence, or, optional, plus, star, repeat, tag, triggered_tags, tags_with_separator, dispatch or token"
            )
        }
    }

    // MARK: Parts

    private func jsonSchema(_ node: TagNode) throws(GrammarError) -> GrammarSource {
        try node.hasOnly("type", "json_schema", "style", "any_order")
        if let style = node.value("style"), style != "json" {
            throw .unsupported(keyword: "style", path: node.path, reason: "expected \"json\"")
        }
        if try node.bool("any_order", default: false) {
            throw .unsupported(keyword: "any_order", path: node.path, reason: "members come in the schema's order")
        }
        return .jsonSchema(JSONSchemaSource(try node.schema("json_schema")))
    }

    private func freeText(_ node: TagNode, _ ends: [String]) throws(GrammarError) -> FreeText {
        try node.hasOnly("type", "excludes", "max_chars")
        let length = try node.integer("max_chars")
        guard (0...limits.repetitions).contains(length ?? 0) else {
            throw node.wrong("max_chars", expected: "an integer in 0...\(limits.repetitions)")
        }
        return FreeText(without: try node.strings("excludes") + ends, maximumLength: length)
    }

    private func token(_ node: TagNode) throws(GrammarError) -> GrammarSource {
        try node.hasOnly("type", "token")
        if let text = node.value("token")?.stringValue { return .marker(text) }
        guard let id = node.value("token")?.intValue, let token = Int32(exactly: id) else {
            throw node.wrong("token", expected: "a token's id or spelling")
        }
        return .token(token)
    }

    private func counts(_ node: TagNode, _ type: String) throws(GrammarError) -> (Int, Int?) {
        guard type == "repeat" else {
            try node.hasOnly("type", "content")
            return (type == "plus" ? 1 : 0, type == "optional" ? 1 : nil)
        }
        try node.hasOnly("type", "content", "min", "max")
        let range = 0...limits.repetitions
        guard let least = try node.integer("min"), range.contains(least) else {
            throw node.wrong("min", expected: "an integer in 0...\(limits.repetitions)")
        }
        guard let most = try node.integer("max"), most == -1 || most >= least && range.contains(most) else {
            throw node.wrong("max", expected: "-1, or an integer in \(least)...\(limits.repetitions)")
        }
        return (least, most == -1 ? nil : most)
    }

    // MARK: Tags

    private func tag(_ node: TagNode, _ depth: Int) throws(GrammarError) -> (begin: GrammarSource, body: GrammarSource)
    {
        try node.hasOnly("type", "begin", "content", "end")
        if node.value("type") != nil, node.value("type") != "tag" { throw node.wrong("type", expected: "\"tag\"") }
        if let begin = node.value("begin")?.stringValue { return (.spelled(begin), try body(node, depth)) }
        return (try token(try node.node("begin")), try body(node, depth))
    }

    private func body(_ node: TagNode, _ depth: Int) throws(GrammarError) -> GrammarSource {
        let content = try node.node("content")
        var ends: [String] = []
        if let end = node.value("end")?.stringValue {
            ends = [end]
        } else if node.value("end")?.arrayValue != nil {
            ends = try node.strings("end")
            guard !ends.isEmpty else { throw node.wrong("end", expected: "a string, strings or a token") }
        } else {
            let end = try token(try node.node("end"))
            return .sequence([try format(content, ends: [], depth: depth + 1), end])
        }
        let marks = ends.filter { !$0.isEmpty }
        if content.value("type") == "any_text", marks.count == ends.count {
            let text = try freeText(content, [])
            // With a length, what comes first cannot be told by the end alone.
            if text.maximumLength == nil { return .either(ends.map { .freeTextThrough($0, firstOf: ends, text) }) }
        }
        return .sequence([
            try format(content, ends: marks, depth: depth + 1), .either(ends.map { .spelled($0) }),
        ])
    }

    private func textTags(_ node: TagNode, _ depth: Int) throws(GrammarError) -> [Tag] {
        guard depth < limits.depth else { throw .tooLarge(what: "nesting of a structural tag", limit: limits.depth) }
        var tags: [Tag] = []
        for tag in try node.nodes("tags") {
            let begin = try tag.string("begin")
            tags.append(Tag(begin: begin, body: try self.tag(tag, depth).body, path: tag.path))
        }
        return tags
    }

    private func separated(_ node: TagNode, _ depth: Int) throws(GrammarError) -> GrammarSource {
        try node.hasOnly("type", "tags", "separator", "at_least_one", "stop_after_first")
        var tags: [GrammarSource] = []
        for tag in try node.nodes("tags") {
            let (begin, body) = try self.tag(tag, depth)
            tags.append(.sequence([begin, body]))
        }
        let separator = GrammarSource.spelled(try node.string("separator"))
        let one = GrammarSource.either(tags)
        let several = GrammarSource.sequence([
            one, .repeated(.sequence([separator, one]), atLeast: 0, atMost: nil),
        ])
        let result = try node.bool("stop_after_first", default: false) ? one : several
        return try node.bool("at_least_one", default: false) ? result : .repeated(result, atLeast: 0, atMost: 1)
    }

    // MARK: Triggers

    /// Free text, where each trigger goes on as one of the tags that begin with it.
    private func triggered(_ node: TagNode, _ tags: [Tag], excluded: [String]) throws(GrammarError) -> GrammarSource {
        let triggers = try node.strings("triggers")
        guard !triggers.isEmpty else { throw node.wrong("triggers", expected: "at least one") }
        var rests = [[GrammarSource]](repeating: [], count: triggers.count)
        for tag in tags {
            try work.charge(4 * triggers.count)
            let found = triggers.indices.filter { tag.begin.utf8.starts(with: triggers[$0].utf8) }
            guard found.count == 1, let trigger = found.first else {
                throw .malformed(
                    what: tag.path + ".begin", expected: "a text that begins with one of the triggers",
                    found: "'\(tag.begin)', which begins with \(found.count)")
            }
            let rest = String(decoding: tag.begin.utf8.dropFirst(triggers[trigger].utf8.count), as: UTF8.self)
            rests[trigger].append(.sequence([.spelled(rest), tag.body]))
        }
        for (trigger, rest) in zip(triggers, rests) where rest.isEmpty {
            throw .malformed(
                what: node.place("triggers"), expected: "texts with which tags begin", found: "'\(trigger)'")
        }
        let free = GrammarSource.freeText(FreeText(without: triggers + excluded))
        var ways = zip(triggers, rests).map { trigger, rest in
            GrammarSource.sequence([
                .freeTextThrough(trigger, firstOf: triggers, FreeText(without: excluded)), .either(rest),
            ])
        }
        // A control token may say more than the trigger.
        ways += tags.map { .sequence([free, .spelledWithTokens($0.begin), $0.body]) }
        let later = GrammarSource.either(ways)
        let first = GrammarSource.either(tags.map { .sequence([.spelled($0.begin), $0.body]) })
        let rest = GrammarSource.sequence([.repeated(later, atLeast: 0, atMost: nil), free])
        switch (try node.bool("at_least_one", default: false), try node.bool("stop_after_first", default: false)) {
        case (false, false): return rest
        case (true, false): return .sequence([first, rest])
        case (false, true): return .either([free, later])
        case (true, true): return first
        }
    }

    /// Free text, where each pattern goes on as its rule says.
    private func dispatch(_ node: TagNode, _ ends: [String], _ depth: Int) throws(GrammarError) -> GrammarSource {
        try node.hasOnly("type", "rules", "loop", "excludes")
        guard let rules = node.value("rules")?.arrayValue, !rules.isEmpty else {
            throw node.wrong("rules", expected: "an array of pairs of a text and a format")
        }
        var patterns: [String] = []
        var bodies: [GrammarSource] = []
        for (index, rule) in rules.enumerated() {
            try work.charge(4 * patterns.count)
            let place = "\(node.place("rules"))[\(index)]"
            guard let pair = rule.arrayValue, pair.count == 2, let pattern = pair[0].stringValue, !pattern.isEmpty,
                !patterns.contains(where: { $0.utf8.starts(with: pattern.utf8) || pattern.utf8.starts(with: $0.utf8) })
            else {
                throw .malformed(
                    what: place, expected: "a pair of a text, with which no other one begins, and a format",
                    found: rule.serializedString())
            }
            patterns.append(pattern)
            bodies.append(try format(try TagNode(pair[1], path: place + "[1]"), ends: ends, depth: depth + 1))
        }
        let excluded = try node.strings("excludes") + ends
        let free = GrammarSource.freeText(FreeText(without: patterns + excluded))
        let ways = zip(patterns, bodies).map { pattern, body in
            GrammarSource.sequence([
                .freeTextThrough(pattern, firstOf: patterns, FreeText(without: excluded)), body,
            ])
        }
        guard try node.bool("loop", default: true) else { return .either([free] + ways) }
        return .sequence([.repeated(.either(ways), atLeast: 0, atMost: nil), free])
    }
}
