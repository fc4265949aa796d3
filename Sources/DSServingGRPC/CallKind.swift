import GRPCCore

/// What sort of call a method is.
enum CallKind {
    /// Small questions, like those of balancers: neither counted nor logged, as their HTTP forms.
    case probe
    /// Reads what is there. It is answered while the server drains.
    case question
    /// Work: a drain waits for it, and none begins after that.
    case work
    /// Work that comes later, request by request: they are waited for, not the stream, which clients keep open. None begins
    /// while the server drains.
    case stream
    /// As `work`; needs the scope `admin`.
    case administration

    init(_ method: MethodDescriptor) {
        guard method.service.fullyQualifiedService != HealthRPCs.name else {
            self = .probe
            return
        }
        switch method.method {
        case "ServerLive", "ServerReady": self = .probe
        case "ModelInfer": self = .work
        case "ModelStreamInfer": self = .stream
        case "RepositoryModelLoad", "RepositoryModelUnload": self = .administration
        default: self = .question
        }
    }

    /// Whether a drain waits for the call itself.
    var isWork: Bool { self == .work || self == .administration }
}
