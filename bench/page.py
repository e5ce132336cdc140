"""Results of bench/run and bench/peers: results.json, and README.md with plots that gnuplot draws."""
import json
import subprocess

from scenarios import SCENARIOS, describe

COLUMNS = [
    ("messages_per_s", "messages/s", "{:,.0f}"), ("engine_us", "engine µs", "{:.1f}"),
    ("sink_us", "sink µs", "{:.1f}"), ("peak_mb", "peak MB", "{:.0f}"),
    ("written_bytes", "bytes written", "{:.0f}"), ("context_switches", "switches", "{:.2f}"),
    ("syscalls_per_message", "syscalls", "{:.2f}"), ("p50_ms", "p50 ms", "{:.0f}"), ("p99_ms", "p99 ms", "{:.0f}")]
INTRODUCTION = """# Results

Written by `bench/run` and `bench/peers`; what the figures are and how they are measured is told in
[bench/README.md](../README.md). Medians, with least and most in brackets. CPU is user + system in microseconds per
message, of the engine and of the sink; bytes written, context switches and system calls are the engine's per message.

Machine: {machine}. `load` is the load average while a scenario ran: the runs shared the machine with whatever
made it.
"""


def load(folder):
    path = folder / "results.json"
    if path.exists():
        return json.loads(path.read_text())
    return {"machine": "", "scenarios": {}, "peers": None}


def save(folder, results):
    folder.mkdir(exist_ok=True)
    order = {name: place for place, name in enumerate(SCENARIOS)}
    results["scenarios"] = dict(sorted(results["scenarios"].items(), key=lambda item: order.get(item[0], 99)))
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    text = INTRODUCTION.format(machine=results["machine"])
    if results["peers"]:
        text += peers_text(folder, results["peers"])
    if results["scenarios"]:
        text += scenarios_text(folder, results["scenarios"])
    (folder / "README.md").write_text(text)


def number(figures, key, form, spread=True):
    if key not in figures:
        return "–"
    figure = figures[key]
    text = form.format(figure["median"])
    if spread and figure["least"] != figure["most"]:
        text += f" ({form.format(figure['least'])}–{form.format(figure['most'])})"
    return text


def line(name, entry):
    """One scenario in one line, with all its properties."""
    figures = "; ".join(f"{number(entry['figures'], key, form)} {title}" for key, title, form in COLUMNS)
    return f"{name}: {describe(entry['properties'])}: {figures}"


def scenarios_text(folder, scenarios):
    text = "\n## Scenarios\n\n![CPU per message](cpu.svg)\n\n![Messages per second](rate.svg)\n\n"
    text += "| scenario | " + " | ".join(title for _, title, _ in COLUMNS) + " | load | commit |\n"
    text += "|---" * (len(COLUMNS) + 3) + "|\n"
    for name, entry in scenarios.items():
        cells = [number(entry["figures"], key, form, key in ("messages_per_s", "engine_us"))
                 for key, _, form in COLUMNS] + [number(entry["figures"], "load", "{:.1f}", False)]
        text += f"| {name} | " + " | ".join(cells) + f" | {entry['commit']} |\n"
    text += "\nWhat each is; `wire` is the size of a message at the receiver:\n\n"
    for name, entry in scenarios.items():
        figures = entry["figures"]
        wire = f"; wire {figures['wire_kb']['median']:.1f} KB" if "wire_kb" in figures else ""
        sessions = f", {figures['sessions']['median']:,.0f} sessions" if "sessions" in figures else ""
        text += f"- **{name}**: {describe(entry['properties'])}{sessions}{wire}; {entry['repeats']} repeats\n"
    sent = {name: entry for name, entry in scenarios.items() if "sink_us" in entry["figures"]}
    bars(folder / "cpu.svg", "CPU per message, microseconds", ["engine", "sink"],
         [(name, [entry["figures"]["engine_us"], entry["figures"]["sink_us"]]) for name, entry in sent.items()])
    bars(folder / "rate.svg", "messages per second", ["messages/s"],
         [(name, [entry["figures"]["messages_per_s"]]) for name, entry in sent.items()])
    return text


def peers_text(folder, peers):
    rows = peers["rows"]
    text = f"\n## Peers\n\n{peers['about']}\n\nCommit {peers['commit']}, {peers['when']}, {peers['repeats']} " \
           f"repeats, load {peers['load']:.1f}.\n\n![Peers](peers.svg)\n\n"
    text += "| sender | CPU µs a message | messages/s | sink µs | Posthorn's cost ÷ this |\n|---|---|---|---|---|\n"
    for row in rows:
        figures = row["figures"]
        text += f"| {row['name']} | {number(figures, 'cpu_us', '{:.1f}')} | " \
                f"{number(figures, 'messages_per_s', '{:,.0f}', False)} | " \
                f"{number(figures, 'sink_us', '{:.1f}', False)} | " \
                f"{number(figures, 'ratio', '{:.3f}')} |\n"
    bars(folder / "peers.svg", "CPU per message, microseconds (logarithmic)", ["sender"],
         [(row["name"], [row["figures"]["cpu_us"]]) for row in rows], logarithmic=True)
    return text


def bars(path, title, series, rows, logarithmic=False):
    """Bars with whiskers from least to most, drawn by gnuplot."""
    block = "\n".join(" ".join([json.dumps(name)] + [
        f"{figure['median']} {figure['least']} {figure['most']}" for figure in figures]) for name, figures in rows)
    plots = ", ".join(f"$rows using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}:xtic(1) title {json.dumps(name)}"
                      for i, name in enumerate(series))
    script = f"""
set terminal svg size {260 + 42 * len(rows)},460 font "sans-serif,12" background "white"
set output {json.dumps(str(path))}
set title {json.dumps(title)} noenhanced
set style data histograms
set style histogram errorbars gap 1 lw 1
set style fill solid 0.7 noborder
set xtics rotate by -40 noenhanced
set grid ytics
set key top left
{"set logscale y" if logarithmic else "set yrange [0:*]"}
$rows << END
{block}
END
plot {plots}
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
