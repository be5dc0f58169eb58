using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FirstJob;
using OrleansStream.ClusterTests.Silo;
using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests.Readme;

public sealed partial class ReadmeTests
{
    [Fact]
    public void The_first_job_of_the_README_is_the_code_that_is_compiled_here() =>
        Assert.Equal(File.ReadAllText(Beside("FirstJob.cs")).Trim(), Block("csharp", "class PaymentJob").Trim());

    [Fact]
    public void The_test_of_the_first_job_in_the_README_is_the_one_that_runs_here() =>
        Assert.Equal(File.ReadAllText(Beside("FirstJobTest.cs")).Trim(), Block("csharp", "class WatchTests").Trim());

    [Fact]
    public void The_simulation_of_the_first_job_in_the_README_is_the_one_that_runs_here() =>
        Assert.Equal(File.ReadAllText(Beside("FirstJobSimulation.cs")).Trim(), Block("csharp", "class PaymentSimulation").Trim());

    [Fact]
    public async Task The_first_job_of_the_README_runs()
    {
        using var folder = new TestFolder();
        var payments = Enumerable.Range(0, 8).Select(static n => $$"""{"account":"{{(n % 2 == 0 ? "anna" : "ben")}}","time":"2026-01-01T12:00:0{{n}}Z","amount":{{(n == 6 ? 500 : 20 + n)}}}""");
        await File.WriteAllLinesAsync(folder["payments.jsonl"], payments, TestContext.Current.CancellationToken);

        var status = await PaymentSilo.RunAsync(folder["payments.jsonl"], folder["alerts.jsonl"], TestSilos.FreePort(), TestSilos.FreePort());

        Assert.True(status.Phase == JobPhase.Finished, status.Cause);
        Assert.Equal(
            ["""{"account":"anna","time":"2026-01-01T12:00:06+00:00","amount":500,"usual":22}"""],
            await File.ReadAllLinesAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public Task The_command_of_the_README_that_averages_runs() =>
        RunAsync("-- run average-sensor-readings", "out.jsonl", static input => input.Averages(TimeSpan.FromHours(1)));

    [Fact]
    public Task The_command_of_the_README_that_finds_anomalies_runs() =>
        RunAsync("-- run sensor-anomalies", "anomalies.jsonl", static input => input.Anomalies(rise: 2.5, bound: 35, TimeSpan.FromHours(1)));

    private static async Task RunAsync(string holding, string output, Func<SensorFile, IEnumerable<string>> expected)
    {
        using var folder = new TestFolder();
        var input = SensorFile.Write(folder["machine-temperature.csv"], seed: 5, count: 200);
        var args = Words(holding).Select(word => word.EndsWith(".csv", StringComparison.Ordinal) ? input.Path : word == output ? folder[word] : word);

        (await CommandRun.OfAsync([.. args])).Succeeded();

        var lines = expected(input).ToList();
        Assert.NotEmpty(lines);
        Assert.Equal(lines, await File.ReadAllLinesAsync(folder[output], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_check_of_the_README_runs()
    {
        using var folder = new TestFolder();

        // The records of the README would take long here.
        var run = (await CommandRun.OfAsync([.. Words("-- run allround").Select(word => word == "1000000" ? "20000" : word == "allround.out" ? folder[word] : word)])).Succeeded();

        Assert.Contains("has 20,000 lines: every record once", run.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["allround.out/records.jsonl"]));
    }

    /// <summary>The words of a command of the silo that the README shows.</summary>
    private static string[] Words(string holding) =>
        CommandLine().Match(Block("sh", holding)).Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The one block of code of a language that holds some words.</summary>
    private static string Block(string language, string holding) => Assert.Single(
        Regex.Matches(File.ReadAllText(Beside("../../../README.md")), $"```{language}\n(.*?)```", RegexOptions.Singleline).Select(static block => block.Groups[1].Value),
        block => block.Contains(holding, StringComparison.Ordinal));

    private static string Beside(string path, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, path);

    [GeneratedRegex(@" -- (run .*)", RegexOptions.Singleline)]
    private static partial Regex CommandLine();
}
