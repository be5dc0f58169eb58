using OrleansStream.ClusterTests.Silo;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A run that kills itself at each named point, with committed output equal to that of an unbroken run.</summary>
public sealed class KillPointTests
{
    private const int Killed = 137;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(30);

    /// <summary>All but those of planned moves, which a run in one process makes none of.</summary>
    public static TheoryData<string> Points => [.. Enum.GetValues<FaultPoint>().Except([FaultPoint.MovePublished, FaultPoint.HandOverBegun, FaultPoint.HandOverGiven]).Select(FaultPoints.NameOf)];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_run_that_dies_at_a_point_goes_on_to_the_lines_of_an_unbroken_one(string point)
    {
        using var folder = new TestFolder();
        SensorFile[] inputs = [SensorFile.Write(folder["one.csv"], seed: 1, count: 4_000), SensorFile.Write(folder["two.csv"], seed: 2, count: 4_000)];
        var output = folder["out.jsonl"];

        // The first death leaves a checkpoint whose output nobody has committed, so that recovery has everything to do.
        await DieAsync("published:2", inputs, output, parallelism: 2, rate: 8_000);
        await DieAsync(point, inputs, output, parallelism: 3, rate: 20_000);
        await using var last = Start(null, inputs, output, parallelism: 2, rate: 100_000);
        Assert.True(await last.EndAsync() == 0, last.Printed);

        var lines = await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken);
        foreach (var input in inputs) Assert.Equal(input.Averages(Window), lines.Where(line => line.Contains($"\"{input.Sensor}\"", StringComparison.Ordinal)));
        Assert.Equal(inputs.Sum(static input => input.Averages(Window).Count()), lines.Length);
    }

    [Fact]
    public async Task A_point_that_there_is_not_is_refused_with_those_there_are()
    {
        using var folder = new TestFolder();
        await using var run = Start("publishd:2", [SensorFile.Write(folder["one.csv"], seed: 1, count: 10)], folder["out.jsonl"], 1, 1000);

        Assert.NotEqual(0, await run.EndAsync());
        Assert.Contains("'publishd:2'", run.Printed, StringComparison.Ordinal);
        Assert.Contains("published", run.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_faults_at_once_are_refused()
    {
        using var folder = new TestFolder();
        var faults = new Dictionary<string, string> { [FaultPoints.Variable] = "published", [FaultPoints.StopVariable] = "published" };
        await using var run = StartWith(faults, [SensorFile.Write(folder["one.csv"], seed: 1, count: 10)], folder["out.jsonl"], 1, 1000);

        Assert.NotEqual(0, await run.EndAsync());
        Assert.Contains("are both set", run.Printed, StringComparison.Ordinal);
    }

    private static async Task DieAsync(string at, IReadOnlyList<SensorFile> inputs, string output, int parallelism, int rate)
    {
        await using var run = Start(at, inputs, output, parallelism, rate);
        Assert.True(await run.EndAsync() == Killed, $"The run did not die at {at}:\n{run.Printed}");
        Assert.Contains($"killed at {at.Split(':')[0]}", run.Printed, StringComparison.Ordinal);
        Assert.False(File.Exists(output), "The output was complete before the run died.");
    }

    private static SiloProcess Start(string? killAt, IEnumerable<SensorFile> inputs, string output, int parallelism, int rate) =>
        StartWith(killAt is null ? [] : new Dictionary<string, string> { [FaultPoints.Variable] = killAt }, inputs, output, parallelism, rate);

    private static SiloProcess StartWith(Dictionary<string, string> faults, IEnumerable<SensorFile> inputs, string output, int parallelism, int rate) => SiloProcess.StartWith(
        faults,
        [
            "run", AverageSensorReadings.JobName, .. inputs.SelectMany(static input => new[] { "--input", input.Path }), "--output", output, "--window", "30m", "--out-of-orderness", "1h",
            "--parallelism", $"{parallelism}", "--rate", $"{rate}", "--checkpoint-interval", "50ms",
        ]);
}
