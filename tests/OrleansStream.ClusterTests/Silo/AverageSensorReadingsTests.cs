namespace OrleansStream.ClusterTests.Silo;

public sealed class AverageSensorReadingsTests
{
    public static TheoryData<string, int, int> Combinations()
    {
        var combinations = new TheoryData<string, int, int>();
        foreach (var window in (string[])["1s", "5m", "1h", "1d"])
        {
            foreach (var parallelism in (int[])[1, 2, 3])
            {
                foreach (var files in (int[])[1, 2]) combinations.Add(window, parallelism, files);
            }
        }

        return combinations;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task A_run_over_files_gives_what_a_plain_loop_gives(string window, int parallelism, int files)
    {
        using var folder = new TestFolder();
        var inputs = Enumerable.Range(0, files).Select(file => SensorFile.Write(folder[$"sensor-{file}.csv"], seed: 7 + file, fromBefore1970: file == 1)).ToList();
        var output = folder["out.jsonl"];

        (await CommandRun.OverAsync(inputs.Select(static input => input.Path), output, "--window", window, "--out-of-orderness", "1h", "--parallelism", $"{parallelism}")).Succeeded();

        var lines = await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken);
        foreach (var input in inputs) Assert.Equal(input.Averages(SizeOf(window)), lines.Where(line => line.StartsWith($"{{\"sensor\":\"{input.Sensor}\"", StringComparison.Ordinal)));
        Assert.Equal(inputs.Sum(input => input.Averages(SizeOf(window)).Count()), lines.Length);
    }

    [Fact]
    public async Task Readings_later_than_allowed_are_told_and_counted_in_no_line()
    {
        using var folder = new TestFolder();
        await File.WriteAllTextAsync(
            folder["sensor.csv"], "timestamp,value\n2020-01-01 00:30:00,32\n2020-01-01 05:00:00,50\n2020-01-01 00:45:00,500\n", TestContext.Current.CancellationToken);

        var run = (await CommandRun.OverAsync(folder["sensor.csv"], folder["out.jsonl"], "--out-of-orderness", "0s")).Succeeded();

        // The watermark moves between batches: within one, the late reading still counts or not as its batch falls; here one batch holds all, so a third file row is on time.
        var lines = await File.ReadAllLinesAsync(folder["out.jsonl"], TestContext.Current.CancellationToken);
        var counted = lines.Sum(static line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("count").GetInt64());
        Assert.Equal(3, counted + (run.Error.Contains("warning: 1 record came after the window had closed", StringComparison.Ordinal) ? 1 : 0));
    }

    private static TimeSpan SizeOf(string window) => OrleansStream.Jobs.JobArguments.ParseDuration(window)!.Value;
}
