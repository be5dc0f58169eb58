using System.CommandLine;
using BenchmarkDotNet.Running;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>BenchmarkDotNet over the parts of the engine, with its own options.</summary>
internal static class PartsCommand
{
    public static Command Build()
    {
        var rest = new Argument<string[]>("options") { Description = "Options of BenchmarkDotNet, for example --filter *State* or --job Dry; --filter * for all." };
        var command = new Command("parts", "Measures parts of the engine alone, with BenchmarkDotNet: exchange, codec, key hashing, state, timers, windows, snapshots.") { rest };
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction(parsed => Run([.. parsed.GetValue(rest) ?? [], .. parsed.UnmatchedTokens]));
        return command;
    }

    public static int Run(string[] options)
    {
        // In this process: the engine's internals are visible to this assembly, not to one that BenchmarkDotNet would build.
        List<string> all = [.. options, "--inProcess", "--memory"];
        if (!options.Any(static option => option is "--job" or "-j")) all.AddRange(["--job", "Short"]);
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(PartsCommand).Assembly).Run([.. all]).ToList();
        return summaries.Count > 0 && summaries.All(static summary => !summary.HasCriticalValidationErrors && summary.Reports.All(static report => report.Success)) ? 0 : 1;
    }
}
