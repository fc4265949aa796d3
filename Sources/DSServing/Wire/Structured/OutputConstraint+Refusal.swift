extension OutputConstraint {
    /// Until the engine has grammars, a request that needs one is refused.
    static func refuse(_ constraint: OutputConstraint?, _ tools: ToolFields? = nil) throws(APIError) {
        if constraint != nil {
            throw .invalid("'response_format': structured output is not supported yet", parameter: "response_format")
        }
        switch tools?.choice {
        case .required, .named:
            throw .invalid("'tool_choice': a forced tool is not supported yet", parameter: "tool_choice")
        default: break
        }
    }
}
