using System.Text.Json;

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
    public async Task A_reading_later_than_allowed_is_told_and_counted_in_no_line()
    {
        using var folder = new TestFolder();
        // Far more than one read takes in, so that the watermark is well past the last reading's window when it comes.
        var onTime = Enumerable.Range(0, 5_000).Select(static minute => $"{new DateTime(2020, 1, 1).AddMinutes(minute):yyyy-MM-dd HH:mm:ss},50");
        await File.WriteAllLinesAsync(folder["sensor.csv"], ["timestamp,value", .. onTime, "2019-06-01 00:00:00,500"], TestContext.Current.CancellationToken);

        var run = (await CommandRun.OverAsync(folder["sensor.csv"], folder["out.jsonl"])).Succeeded();

        Assert.StartsWith("warning: 1 record came too late to count", run.ErrorLine, StringComparison.Ordinal);
        var lines = await File.ReadAllLinesAsync(folder["out.jsonl"], TestContext.Current.CancellationToken);
        Assert.Equal(5_000, lines.Sum(static line => JsonDocument.Parse(line).RootElement.GetProperty("count").GetInt64()));
    }

    private static TimeSpan SizeOf(string window) => OrleansStream.Jobs.JobArguments.ParseDuration(window)!.Value;
}
