/// Answers and prompts that the coming step could have.
package struct Outlook: Sendable, Equatable {
    /// The next rows of requests that decode, with those of their guesses.
    package var answers = StepTimes.Work()
    /// What is not known of all prompts, those that wait and have a place included; nil: more than a step has rows, or an urgent one takes
    /// the place of a request that decodes.
    package var prompts: StepTimes.Work? = StepTimes.Work()
    /// The answers' rows if all prompts were computed before: those of their requests that go on decode, too.
    package var answersAfterPrompts = StepTimes.Work()
    /// The largest number of tokens that a prompt has behind it, computed or known.
    package var promptDepth = 0

    package init() {}

    fileprivate mutating func addAnswer(_ sequence: ScheduledSequence) {
        let (rows, context) = (1 + sequence.draft.count, sequence.tokens.count + sequence.draft.count)
        answers = answers.adding(decodeRows: rows, context: context)
        answersAfterPrompts = answersAfterPrompts.adding(decodeRows: rows, context: context)
    }

    fileprivate mutating func addPrompt(_ sequence: ScheduledSequence, known: Int, rowLimit: Int) {
        prompts = prompts?.adding(promptRows: sequence.tokens.count - known, at: known)
        if prompts?.promptRows ?? 0 > rowLimit { prompts = nil }
        promptDepth = max(promptDepth, known)
        guard sequence.tokenLimit > sequence.tokens.count + 1 else { return }
        answersAfterPrompts = answersAfterPrompts.adding(decodeRows: 1, context: sequence.tokens.count)
    }
}

extension Scheduler {
    /// Nil if no step has both, answers and prompts. Grows with the requests and with the known blocks of those that wait and have a place.
    package func outlook() -> Outlook? {
        var outlook = Outlook()
        var hasPrompt = false
        var places = limits.maxBatchSize
        for slot in running {
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused else { continue }
            places -= 1
            if sequence.isDecoding {
                outlook.addAnswer(sequence)
            } else {
                hasPrompt = true
                outlook.addPrompt(sequence, known: sequence.computed, rowLimit: limits.maxBatchTokens)
            }
        }
        guard outlook.answers.decodeRows > 0, hasPrompt || !waiting.isEmpty else { return nil }
        for slot in waiting {
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused, !sequence.isFetching else { continue }
            guard places > 0 else {
                if takesPlace(sequence) { outlook.prompts = nil }
                break
            }
            places -= 1
            let known = knownPrefix(of: slot).count * limits.blockSize
            outlook.addPrompt(sequence, known: known, rowLimit: limits.maxBatchTokens)
        }
        return outlook
    }

    /// Whether a waiting request comes before a running one by its priority, whatever its length.
    private func takesPlace(_ sequence: ScheduledSequence) -> Bool {
        guard policy == .priority else { return false }
        return running.contains {
            sequences[$0.rawValue].map { !$0.isPaused && $0.priority > sequence.priority } ?? false
        }
    }
}

extension StepPlan {
    /// What the step's time depends on.
    package var work: StepTimes.Work {
        var work = StepTimes.Work()
        for chunk in decodes { work = work.adding(decodeRows: chunk.count, context: chunk.end) }
        for chunk in prompts { work = work.adding(promptRows: chunk.count, at: chunk.start) }
        return work
    }
}
