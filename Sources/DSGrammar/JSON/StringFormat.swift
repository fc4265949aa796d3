/// The formats of strings that are enforced, as regular expressions.
///
/// Each describes what the RFC allows or a part of it that every validator takes: what is generated is valid, and a few
/// exotic values (leap seconds, quoted local parts, host names with underscores) are not generated.
enum StringFormat {
    private static let day =
        "(((0[1-9]|[1-9][0-9])[0-9]{2}|00(0[1-9]|[1-9][0-9]))-(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))"
        + "|((0[469]|11)-(0[1-9]|[12][0-9]|30))|(02-(0[1-9]|1[0-9]|2[0-8])))"
        + "|(([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29))"
    private static let clock = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
    private static let zone = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
    private static let byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    private static let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
    private static let host = "\(label)(\\.\(label)){0,5}"
    private static let group = "[0-9a-fA-F]{1,4}"
    private static let pathCharacter = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
    private static let tail = "(\\?(\(pathCharacter)|[/?])*)?(#(\(pathCharacter)|[/?])*)?"

    private static let expressions: [String: String] = [
        "date": day,
        "time": clock + zone,
        "date-time": day + "T" + clock + zone,
        "duration": "P((([0-9]{1,9}Y([0-9]{1,9}M([0-9]{1,9}D)?)?|[0-9]{1,9}M([0-9]{1,9}D)?|[0-9]{1,9}D)"
            + "(T([0-9]{1,9}H([0-9]{1,9}M([0-9]{1,9}S)?)?|[0-9]{1,9}M([0-9]{1,9}S)?|[0-9]{1,9}S))?)"
            + "|T([0-9]{1,9}H([0-9]{1,9}M([0-9]{1,9}S)?)?|[0-9]{1,9}M([0-9]{1,9}S)?|[0-9]{1,9}S)|[0-9]{1,9}W)",
        "email": "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,32}(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,16}){0,1}@\(host)",
        "hostname": host,
        "ipv4": "\(byte)(\\.\(byte)){3}",
        "ipv6": "((\(group):){7}\(group)|(\(group):){1,7}:|(\(group):){1,6}:\(group)|(\(group):){1,5}(:\(group)){1,2}"
            + "|(\(group):){1,4}(:\(group)){1,3}|(\(group):){1,3}(:\(group)){1,4}|(\(group):){1,2}(:\(group)){1,5}"
            + "|\(group):(:\(group)){1,6}|:(:\(group)){1,7}|::)",
        "uuid": "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        "uri": "(https?|ftp)://\(host)(:[0-9]{1,4})?(/\(pathCharacter)*)*" + tail
            + "|(mailto|urn):\(pathCharacter)+",
        "uri-reference": "((https?|ftp)://\(host)(:[0-9]{1,4})?)?(/\(pathCharacter)*)*" + tail,
        "json-pointer": "(/([^~/\\x00-\\x1F]|~[01])*)*",
        "relative-json-pointer": "(0|[1-9][0-9]{0,8})(#|(/([^~/\\x00-\\x1F]|~[01])*)*)",
    ]
    private static let aliases = [
        "iri": "uri", "iri-reference": "uri-reference", "idn-email": "email", "idn-hostname": "hostname",
        "ip-address": "ipv4", "host-name": "hostname",
    ]

    /// Formats that say how a value is meant, and nothing of its text.
    static let annotations: Set<String> = [
        "int32", "int64", "uint32", "uint64", "float", "double", "decimal", "password", "byte", "binary", "textarea",
        "markdown", "html", "color", "phone", "unknown", "text", "multi-line", "currency",
    ]

    static func syntax(_ name: String, _ limits: GrammarLimits) throws(GrammarError) -> RegexSyntax {
        guard let expression = expressions[aliases[name] ?? name] else {
            let known = expressions.keys.sorted().joined(separator: ", ")
            throw .unsupported(keyword: "format", path: "'\(name.prefix(60))'", reason: "known are \(known)")
        }
        return try RegexParser.parse(expression, limits: limits)
    }
}
