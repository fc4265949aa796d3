/// Which waiting requests start.
extension Scheduler {
    /// What running requests leave to others.
    private struct Room {
        /// Blocks that a new request could have now.
        var unclaimed: Int
        /// Running requests that are not paused.
        var active: Int
    }

    /// Starts waiting requests in the policy's order. One starts only if all its known tokens fit beside what the running
    /// requests still need for theirs, so that a start is not paid for by a preemption right after. Nobody starts before one that
    /// comes first and does not fit, so that long requests have their turn, too.
    mutating func admitWaiting(_ budget: inout Budget, _ plan: inout StepPlan) {
        guard !waiting.isEmpty else { return }
        var room = room()
        var index = 0
        while index < waiting.count {
            let slot = waiting[index]
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused, !sequence.isFetching else {
                index += 1
                continue
            }
            guard makeRoom(for: slot, &room, &budget, &plan) else { return }
            room.unclaimed -= needed(by: slot)
            room.active += 1
            // Those that gave up their blocks wait before it, if they are paused, or after it.
            waiting.removeAll { $0 == slot }
            sequences[slot.rawValue]?.isRunning = true
            insert(slot, into: \.running)
            adoptKnown(slot)
        }
    }

    /// Free blocks that a waiting request takes when it starts and while its known tokens are computed: known ones that others use are
    /// shared.
    private func needed(by slot: SequenceSlot) -> Int {
        let tokens = sequences[slot.rawValue]?.tokens.count ?? 0
        return blocksNeeded(for: tokens) - knownPrefix(of: slot).inUse
    }

    /// Takes blocks from paused requests, and the place of requests that come later by their priority, as far as a waiting
    /// request needs them; false if it does not fit even so.
    private mutating func makeRoom(
        for slot: SequenceSlot, _ room: inout Room, _ budget: inout Budget, _ plan: inout StepPlan
    ) -> Bool {
        if fits(slot, room) { return true }
        guard let sequence = sequences[slot.rawValue], fits(slot, roomWithout { mayGiveWay($0, to: sequence) }) else {
            return false
        }
        while !fits(slot, room), let other = running.last(where: { mayGiveWay($0, to: sequence) }) {
            preempt(other, &budget, &plan)
            room = self.room()
        }
        return fits(slot, room)
    }

    private func fits(_ slot: SequenceSlot, _ room: Room) -> Bool {
        room.active < limits.maxBatchSize && needed(by: slot) <= room.unclaimed
    }

    private func mayGiveWay(_ slot: SequenceSlot, to candidate: ScheduledSequence) -> Bool {
        guard let sequence = sequences[slot.rawValue] else { return false }
        return sequence.isPaused || policy == .priority && sequence.priority > candidate.priority
    }

    private func room() -> Room { roomWithout { _ in false } }

    /// The room if running requests that satisfy `condition` gave up their blocks.
    private func roomWithout(_ condition: (SequenceSlot) -> Bool) -> Room {
        var room = Room(unclaimed: pool.freeCount, active: 0)
        // Owners that blocks would lose: one that loses all of them is free.
        var losses: [BlockID: Int] = [:]
        for slot in running {
            guard let sequence = sequences[slot.rawValue] else { continue }
            if condition(slot) {
                for block in sequence.blocks {
                    losses[block, default: 0] += 1
                    if losses[block] == pool.referenceCount(block) { room.unclaimed += 1 }
                }
            } else if !sequence.isPaused {
                room.unclaimed -= max(0, blocksNeeded(for: sequence.tokens.count) - sequence.blocks.count)
                room.active += 1
            }
        }
        return room
    }
}
