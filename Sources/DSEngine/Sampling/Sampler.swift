package import DSGrammar

/// Chooses tokens. Holds scratch memory for one vocabulary, reused for every row.
///
/// The meaning of each parameter, and the order of the steps, is documented at `SamplingParameters`. The choice is a
/// function of the row, the parameters, the seed and the number of earlier tokens; nothing of the batch enters.
package struct Sampler: ~Copyable {
    package let vocabularySize: Int
    /// Adjusted logits, [vocabulary].
    private let adjusted: UnsafeMutableBufferPointer<Float>
    /// Unnormalised probabilities, [vocabulary].
    private let weights: UnsafeMutableBufferPointer<Float>
    private var candidates = CandidateList()
    /// Time in which rows were copied and masked for `allowed`, since it was last set to zero.
    package var maskingTime = Duration.zero

    package init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
        adjusted = .allocate(capacity: vocabularySize)
        weights = .allocate(capacity: vocabularySize)
    }

    deinit {
        adjusted.deallocate()
        weights.deallocate()
    }

    /// Chooses the next token for `row` ([vocabulary], raw logits) and records it in `state`; `nil` if no logit is a
    /// number above -infinity.
    /// - Parameter allowed: the tokens to choose from, one bit each; nil: all.
    package mutating func next(
        _ row: UnsafeBufferPointer<Float>, _ state: inout SamplingState, allowed: TokenMask? = nil
    ) -> Int32? {
        precondition(row.count == vocabularySize, "one row of logits")
        if let token = state.forcedToken {
            state.append(token)
            return token
        }
        guard let token = choose(adjusted(row, state, allowed), state) else { return nil }
        state.append(token)
        return token
    }

    // MARK: Steps 1 and 2

    private mutating func adjusted(
        _ row: UnsafeBufferPointer<Float>, _ state: SamplingState, _ allowed: TokenMask?
    ) -> UnsafeBufferPointer<Float> {
        guard allowed != nil else { return state.leavesLogits ? row : adjust(row, state, nil) }
        let started = ContinuousClock.now
        defer { maskingTime += started.duration(to: .now) }
        guard state.leavesLogits, let allowed else { return adjust(row, state, allowed) }
        copy(allowed, of: row)
        return UnsafeBufferPointer(adjusted)
    }

    private func adjust(
        _ row: UnsafeBufferPointer<Float>, _ state: SamplingState, _ allowed: TokenMask?
    ) -> UnsafeBufferPointer<Float> {
        _ = adjusted.update(fromContentsOf: row)
        if let allowed = state.parameters.allowedTokens {
            adjusted.update(repeating: -.infinity)
            for id in allowed { adjusted[Int(id)] = row[Int(id)] }
        }
        for (id, value) in state.bias { adjusted[Int(id)] += value }
        for id in state.bannedTokens { adjusted[Int(id)] = -.infinity }
        if state.masksEndTokens, allowed.map({ $0.hasOthers(than: state.blockedBeforeMinimum) }) ?? true {
            for id in state.blockedBeforeMinimum { adjusted[Int(id)] = -.infinity }
        }
        if let counts = state.counts {
            let repetition = Float(state.parameters.repetitionPenalty)
            let frequency = Float(state.parameters.frequencyPenalty)
            let presence = Float(state.parameters.presencePenalty)
            for entry in counts.entries {
                var logit = adjusted[Int(entry.id)]
                logit = logit > 0 ? logit / repetition : logit * repetition
                if entry.outputCount > 0 { logit -= frequency * Float(entry.outputCount) + presence }
                adjusted[Int(entry.id)] = logit
            }
        }
        if let allowed { mask(allowed) }
        return UnsafeBufferPointer(adjusted)
    }

    private func mask(_ allowed: TokenMask) {
        allowed.words.withUnsafeBufferPointer { words in
            for index in words.indices where words[index] != .max {
                let tokens = tokens(ofWord: index)
                // Most words are all ones or all zeros.
                if words[index] == 0 {
                    UnsafeMutableBufferPointer(rebasing: adjusted[tokens]).update(repeating: -.infinity)
                } else {
                    exclude(~words[index], tokens)
                }
            }
        }
    }

    /// The row as it is where a token is allowed: as few elements are touched one by one as each word allows.
    private func copy(_ allowed: TokenMask, of row: UnsafeBufferPointer<Float>) {
        precondition(allowed.words.count * 64 >= vocabularySize, "one bit per token")
        guard let source = row.baseAddress, let target = adjusted.baseAddress else { return }
        allowed.words.withUnsafeBufferPointer { words in
            for index in words.indices {
                let tokens = tokens(ofWord: index)
                if words[index].nonzeroBitCount > 32 {
                    (target + tokens.lowerBound).update(from: source + tokens.lowerBound, count: tokens.count)
                    exclude(~words[index], tokens)
                } else {
                    (target + tokens.lowerBound).update(repeating: -.infinity, count: tokens.count)
                    include(words[index], tokens, of: row)
                }
            }
        }
    }

    private func tokens(ofWord index: Int) -> Range<Int> { index * 64..<min(index * 64 + 64, vocabularySize) }

    private func include(_ bits: UInt64, _ tokens: Range<Int>, of row: UnsafeBufferPointer<Float>) {
        var rest = bits
        while rest != 0 {
            let token = tokens.lowerBound + rest.trailingZeroBitCount
            if token < tokens.upperBound { adjusted[token] = row[token] }
            rest &= rest - 1
        }
    }

    private func exclude(_ bits: UInt64, _ tokens: Range<Int>) {
        var rest = bits
        while rest != 0 {
            let token = tokens.lowerBound + rest.trailingZeroBitCount
            if token < tokens.upperBound { adjusted[token] = -.infinity }
            rest &= rest - 1
        }
    }

    // MARK: Steps 3 to 5

    private mutating func choose(_ row: UnsafeBufferPointer<Float>, _ state: SamplingState) -> Int32? {
        let parameters = state.parameters
        let largest = LogitScan.maximum(row)
        guard largest > -.infinity else { return nil }
        let scale = Float(1 / parameters.temperature)
        guard parameters.temperature > 0, scale.isFinite, largest < .infinity, let scratch = weights.baseAddress else {
            return row.firstIndex(of: largest).map(Int32.init)
        }
        let draw = Philox.uniform(seed: state.seed, index: state.generatedCount)
        // minP as a bound on logits: (x - largest) * scale ≥ ln minP.
        let bound = parameters.minP > 0 ? largest + Float(scalarLog(parameters.minP)) / scale : -.infinity
        if let topK = parameters.topK, topK < vocabularySize {
            candidates.selectTop(topK, of: row, atLeast: bound)
            candidates.setWeights(shift: largest, scale: scale)
        } else {
            let total = LogitScan.exponentials(row, shift: largest, scale: scale, into: scratch)
            if parameters.topP >= 1, parameters.typicalP >= 1, parameters.minP == 0 {
                return drawFromAll(draw * total)
            }
            candidates.select(
                row, weights: UnsafeBufferPointer(weights), atLeast: bound, total: total,
                topP: parameters.minP > 0 ? 1 : parameters.topP)
        }
        if parameters.topP < 1 { candidates.keepTop(fraction: parameters.topP) }
        if parameters.typicalP < 1 { candidates.keepTypical(fraction: parameters.typicalP) }
        return candidates.draw(draw)
    }

    /// Inverse of the cumulative distribution, in the order of ids.
    private func drawFromAll(_ target: Double) -> Int32 {
        var sum = 0.0
        var last = 0
        for index in 0..<vocabularySize where weights[index] > 0 {
            sum += Double(weights[index])
            last = index
            if sum > target { break }
        }
        return Int32(last)
    }
}
