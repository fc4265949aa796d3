import ArgumentParser
import DSCommands

@main
struct Server {
    static func main() async { await ServerProgram.main() }
}
