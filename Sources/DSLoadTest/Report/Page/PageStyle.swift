/// The page's style: light, or dark where the reader's system is.
enum PageStyle {
    static let text = """
        :root { color-scheme: light dark; --page: #f6f6f3; --card: #ffffff; --ink: #1b1b19; --soft: #62615c;
          --faint: #8d8b84; --rule: #e4e3dd; --grid: #ecebe6; --bad: #c9362f; --good: #14804a;
          --c0: #2a78d6; --c1: #e2622d; --c2: #159a6c; --c3: #b27a00; --c4: #7459d1; --c5: #c2417f;
          --q0: #9cc8f5; --q1: #6aa9ec; --q2: #3f8ade; --q3: #1f6cc0; --q4: #124d91; --q5: #0a3466; }
        @media (prefers-color-scheme: dark) { :root { --page: #151514; --card: #1f1f1d; --ink: #f2f1ec; --soft: #b6b4ab;
          --faint: #8b8981; --rule: #363530; --grid: #2c2b28; --bad: #ff7b72; --good: #4cc38a;
          --c0: #5aa2f2; --c1: #f08a5b; --c2: #43bf91; --c3: #d9a938; --c4: #a48ff0; --c5: #e678ab;
          --q0: #1f4f85; --q1: #2d6cb0; --q2: #4089d6; --q3: #66a6ea; --q4: #95c4f4; --q5: #c9e1fb; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 36px 24px 64px; }
        h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
        h2 { font-size: 20px; margin: 44px 0 14px; padding-top: 18px; border-top: 1px solid var(--rule); }
        h3 { font-size: 15px; margin: 0; } p { margin: 4px 0; } .sub, .lead { color: var(--soft); } .sub { font-size: 13px; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 16px 0; }
        .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 16px; }
        .tile b { display: block; font-size: 24px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
        .tile b small { font-size: 13px; font-weight: 500; color: var(--soft); }
        .tile span { color: var(--soft); font-size: 13px; }
        .grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 16px; }
        .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px 12px;
          margin: 0; min-width: 0; } .wide { margin-top: 16px; } figcaption { margin-bottom: 8px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
        th { text-align: right; font-weight: 600; color: var(--soft); font-size: 13px; border-bottom: 1px solid var(--rule); }
        td { text-align: right; font-variant-numeric: tabular-nums; border-bottom: 1px solid var(--grid); }
        th, td { padding: 5px 10px; white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
        table.words td { text-align: left; white-space: normal; overflow-wrap: anywhere; } table.words th { text-align: left; }
        table.pairs td:nth-child(2), table.pairs th:nth-child(2) { text-align: left; }
        td.better { color: var(--good); font-weight: 600; } td.worse { color: var(--bad); font-weight: 600; }
        tr:last-child td { border-bottom: 0; }
        .notes { margin: 14px 0 16px; padding: 10px 16px 10px 32px; border-left: 3px solid var(--c3); background: var(--card);
          border-radius: 0 10px 10px 0; } .notes.bad { border-color: var(--bad); }
        .keys { display: flex; gap: 18px; font-size: 13px; color: var(--soft); } .keys i { display: inline-block; width: 12px;
          height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
        svg { display: block; width: 100%; height: auto; } svg text { font-size: 11.5px; fill: var(--soft); }
        svg .tick { font-size: 11px; fill: var(--faint); } svg .name { fill: var(--ink); } svg .mark { font-size: 11px; }
        svg .mark.bound { fill: var(--bad); } .grid { stroke: var(--grid); } .axis { stroke: var(--faint); }
        .marker { stroke: var(--faint); stroke-dasharray: 2 3; } .marker.bound { stroke: var(--bad); stroke-dasharray: 5 3; }
        .line, .key { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } .key { stroke-width: 3; }
        .dashed { stroke-dasharray: 5 4; } .area { stroke: none; opacity: 0.16; }
        .dot { stroke: var(--card); stroke-width: 1.5; }
        .waits { fill: var(--q0); } .runs { fill: var(--c0); } .fails { fill: var(--bad); }
        \(colors)
        details { margin-top: 16px; } summary { cursor: pointer; color: var(--soft); } footer { color: var(--soft);
          font-size: 13px; margin-top: 40px; border-top: 1px solid var(--rule); padding-top: 14px; }
        @media print { body { background: #fff; } .card, .tile { break-inside: avoid; } }
        """

    /// Strokes and fills of the named colours.
    private static let colors = ["c", "q"].flatMap { kind in
        (0..<6).map { index in
            let name = "\(kind)\(index)"
            return ".line.\(name), .key.\(name) { stroke: var(--\(name)); } "
                + ".area.\(name), .dot.\(name) { fill: var(--\(name)); }"
        }
    }.joined(separator: "\n")
}
