/// Why a load test cannot begin, or cannot be read.
package enum LoadTestError: Error, Equatable, CustomStringConvertible {
    case invalidURL(String, String)
    case invalidGoodput(String, String)
    case dataset(String, line: Int?, String)
    case server(String, expected: String, found: String)
    case warmUp(String)
    case calibration(String)
    case comparison(String, String)

    package var description: String {
        switch self {
        case .invalidURL(let url, let reason): "--url: expected \(reason), found '\(url)'"
        case .invalidGoodput(let text, let expected): "--goodput: expected \(expected), found '\(text)'"
        case .dataset(let path, let line?, let reason): "\(path), line \(line): \(reason)"
        case .dataset(let path, nil, let reason): "\(path): \(reason)"
        case .server(let what, let expected, let found): "\(what): expected \(expected), found \(found)"
        case .warmUp(let failure): "warm-up: expected answers, found \(failure)"
        case .calibration(let reason): "synthetic prompts: \(reason)"
        case .comparison(let path, let reason): "\(path): \(reason)"
        }
    }
}
