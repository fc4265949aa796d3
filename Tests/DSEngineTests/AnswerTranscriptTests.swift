import DSEngine
import DSSupport
import DSTokenizers
import Foundation
import Testing

/// The golden transcripts through the whole text layer: decoder, stop strings, parser, deltas.
@Suite("Answer transcripts")
struct AnswerTranscriptTests {
    struct Transcript: Sendable, CustomTestStringConvertible {
        var dialect: OutputDialect
        var testDescription: String
        var inReasoning: Bool
        var text: [UInt8]
        var stops: [String]
        var expected: GenerationDelta
    }

    static let all: [Transcript] = OutputDialect.allCases.flatMap { dialect -> [Transcript] in
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Goldens/transcripts/\(dialect.rawValue).json")
        guard let data = try? Data(contentsOf: file), let json = try? JSONValue.parse([UInt8](data)) else { return [] }
        return (json["transcripts"]?.arrayValue ?? []).map { row in
            Transcript(
                dialect: dialect, testDescription: "\(dialect): \(row["name"]?.stringValue ?? "")",
                inReasoning: row["in_reasoning"]?.boolValue ?? false, text: row["text"]?.bytesValue ?? [],
                stops: (row["stops"]?.arrayValue ?? []).compactMap(\.stringValue),
                expected: expected(row["events"]?.arrayValue ?? []))
        }
    }
    static let stopped = all.filter { !$0.stops.isEmpty }

    static func expected(_ events: [JSONValue]) -> GenerationDelta {
        var delta = GenerationDelta()
        for event in events {
            let texts = (event.arrayValue ?? []).compactMap(\.stringValue)
            switch texts.first {
            case "reasoning": delta.reasoning += texts[1]
            case "content": delta.content += texts[1]
            default:
                delta.toolCalls.append(
                    ToolCallDelta(index: delta.toolCalls.count, name: texts[1], arguments: texts[2]))
            }
        }
        return delta
    }

    /// Token t is piece t; pieces may end inside characters, as those of a byte-level vocabulary do.
    struct PieceDecoder: TextDecoder {
        let pieces: [[UInt8]]

        mutating func push(_ token: Int32) -> [UInt8] { pieces[Int(token)] }
        mutating func finish() -> [UInt8] { [] }
    }

    static func read(_ transcript: Transcript, _ pieces: [ArraySlice<UInt8>]) -> (delta: GenerationDelta, stop: String?)
    {
        var options = TextOptions()
        options.stopStrings = transcript.stops
        let parser = AnswerParser(dialect: transcript.dialect, inReasoning: transcript.inReasoning)
        var assembler = TextAssembler(
            decoder: PieceDecoder(pieces: pieces.map(Array.init)), parser: AnswerOutputParser(parser), options: options,
            promptTokens: 1)
        var output = GenerationDelta()
        for token in pieces.indices {
            let (delta, stop) = assembler.push(GeneratedToken(id: Int32(token)))
            output.append(delta)
            if let stop { return (output, stop) }
        }
        let (delta, stop) = assembler.finish()
        output.append(delta)
        return (output, stop)
    }

    static func expect(_ transcript: Transcript, _ pieces: [ArraySlice<UInt8>], _ cut: String) {
        var (delta, stop) = read(transcript, pieces)
        delta.tokens = []
        #expect(delta == transcript.expected, "\(cut)")
        let isStopped = transcript.stops.contains { Array(transcript.text).firstRange(of: Array($0.utf8)) != nil }
        #expect((stop != nil) == isStopped, "\(cut)")
    }

    @Test("One cut at every byte, and pieces of every size", arguments: stopped)
    func everyCut(_ transcript: Transcript) {
        let bytes = transcript.text
        for cut in 0...bytes.count { Self.expect(transcript, [bytes[..<cut], bytes[cut...]], "cut at \(cut)") }
        for size in 1...bytes.count {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
            Self.expect(transcript, pieces, "pieces of \(size)")
        }
    }

    @Test("Every transcript in pieces of 1, 2, 3 and 7 bytes", arguments: all)
    func smallPieces(_ transcript: Transcript) {
        let bytes = transcript.text
        for size in [1, 2, 3, 7] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
            Self.expect(transcript, pieces, "pieces of \(size)")
        }
    }

    @Test func tableIsThere() { #expect(Self.all.count > 300 && Self.stopped.count > 40) }
}
