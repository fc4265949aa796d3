/// The optimiser: one flat list of passes, in the order in which they run.
package struct PassPipeline: Sendable {
    package let level: OptimizationLevel
    package let passes: [Pass]
    private let verifies: Bool

    package struct Result: Sendable {
        package let graph: Graph
        package let reports: [PassReport]
    }

    /// Every pass up to the level. Debug builds verify between passes; `verifyBetweenPasses` does so in any build.
    package init(level: OptimizationLevel, verifyBetweenPasses: Bool = false) {
        self.level = level
        passes = Self.allPasses.filter { $0.level <= level }
        #if DEBUG
            verifies = true
        #else
            verifies = verifyBetweenPasses
        #endif
    }

    /// Passes by name, in the given order.
    package init(names: [String], verifyBetweenPasses: Bool = true) throws(GraphError) {
        var chosen: [Pass] = []
        for name in names {
            guard let pass = Self.allPasses.first(where: { $0.name == name }) else { throw .unknownPass(name) }
            chosen.append(pass)
        }
        passes = chosen
        level = chosen.map(\.level).max() ?? .none
        verifies = verifyBetweenPasses
    }

    package static let allPasses: [Pass] = [
        .constantFolding, .identities, .viewCanonicalization, .commonSubexpressions, .rowSelection, .deadCode,
        .linearBias, .linearActivation, .gateUpSwiGLU, .expertsBase, .residualNorm, .linearResidual, .linearGroups,
        .ropeGroups, .attentionPattern, .stateWriteGroups,
        .weightLayout,
    ]

    package func run(_ graph: Graph) throws(GraphError) -> Result {
        var current = graph
        var reports: [PassReport] = []
        for pass in passes {
            let cost = GraphCost(current)
            var report = PassReport(
                name: pass.name, level: pass.level, summary: pass.summary, before: cost, after: cost)
            var rewriter = Rewriter(current)
            try pass.body(&rewriter, &report)
            current = rewriter.finish()
            if verifies { try current.verify() }
            report.after = GraphCost(current)
            reports.append(report)
        }
        return Result(graph: current, reports: reports)
    }
}
