using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.ClusterTests.Silo;

public sealed class SensorAnomaliesTests : IDisposable
{
    // In °C: 10 and 20, a rise of 10, then 40, 30, 50 and 60.
    private static readonly string[] Rows =
        ["2020-01-01 00:00:00,50", "2020-01-01 00:05:00,68", "2020-01-01 00:10:00,104", "2020-01-01 00:15:00,86", "2020-01-01 00:20:00,122", "2020-01-01 00:25:00,140"];

    private const string Line =
        "{\"sensor\":\"sensor\",\"riseStart\":\"2020-01-01T00:00:00Z\",\"riseEnd\":\"2020-01-01T00:05:00Z\",\"riseCelsius\":10,\"high\":["
        + "{\"time\":\"2020-01-01T00:10:00Z\",\"celsius\":40},{\"time\":\"2020-01-01T00:20:00Z\",\"celsius\":50},{\"time\":\"2020-01-01T00:25:00Z\",\"celsius\":60}]}";

    private readonly TestFolder _folder = new();

    private string Output => _folder["out.jsonl"];

    public void Dispose() => _folder.Dispose();

    public static TheoryData<double, double, string, int> Combinations()
    {
        var combinations = new TheoryData<double, double, string, int>();
        foreach (var (rise, bound, within) in (ReadOnlySpan<(double, double, string)>)[(2.5, 35, "1h"), (0.1, 20, "15m"), (12, 42, "1d")])
        {
            foreach (var parallelism in (int[])[1, 2, 3]) combinations.Add(rise, bound, within, parallelism);
        }

        return combinations;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task A_run_over_the_files_of_two_sensors_gives_what_a_plain_loop_gives(double rise, double bound, string within, int parallelism)
    {
        // Of the same days, so that readings taken for the other sensor's would show.
        SensorFile[] inputs = [SensorFile.Write(_folder["one.csv"], seed: 17), SensorFile.Write(_folder["two.csv"], seed: 18)];

        (await RunAsync(inputs.Select(static input => input.Path), "--rise", rise.ToString(CultureInfo.InvariantCulture), "--bound", bound.ToString(CultureInfo.InvariantCulture), "--within", within, "--parallelism", $"{parallelism}")).Succeeded();

        var lines = await ReadAsync();
        foreach (var input in inputs)
        {
            var expected = input.Anomalies(rise, bound, JobArguments.ParseDuration(within)!.Value).ToList();
            Assert.True(expected.Count > 20, $"Only {expected.Count} anomalies are in {input.Sensor}.");
            Assert.Equal(expected, lines.Where(line => line.StartsWith($"{{\"sensor\":\"{input.Sensor}\"", StringComparison.Ordinal)));
        }

        Assert.Equal(inputs.Sum(input => input.Anomalies(rise, bound, JobArguments.ParseDuration(within)!.Value).Count()), lines.Length);
    }

    [Fact]
    public async Task An_anomaly_is_one_line_also_when_the_rows_are_out_of_order()
    {
        (await RunAsync(WriteRows(Rows[3], Rows[0], Rows[5], Rows[1], Rows[4], Rows[2]))).Succeeded();

        Assert.Equal([Line], await ReadAsync());
    }

    [Theory]
    [InlineData("--rise", "10", 1)]
    [InlineData("--rise", "10.001", 0)]
    [InlineData("--bound", "39.999", 1)]
    [InlineData("--bound", "40", 0)]
    [InlineData("--within", "1500001ms", 1)]
    [InlineData("--within", "25m", 0)]
    public async Task A_rise_reaches_its_bound_readings_exceed_theirs_and_the_time_stays_below_its_own(string option, string value, int anomalies)
    {
        (await RunAsync(WriteRows(Rows), option == "--rise" ? [option, value] : ["--rise", "10", option, value])).Succeeded();

        Assert.Equal(anomalies, (await ReadAsync()).Length);
    }

    [Fact]
    public async Task A_bound_below_zero_and_no_options_at_all_are_fine()
    {
        (await RunAsync(WriteRows(Rows), "--bound", "-5")).Succeeded();
        Assert.Contains("\"celsius\":30}", Assert.Single(await ReadAsync()), StringComparison.Ordinal);

        (await RunAsync(WriteRows(Rows), "--fresh")).Succeeded();
        Assert.Equal([Line], await ReadAsync());
    }

    [Fact]
    public async Task A_reading_later_than_allowed_is_told_and_plays_no_part()
    {
        // Far more than one read takes in, so that the watermark is well past the last readings when they come.
        var later = Enumerable.Range(1, 5_000).Select(static minute => $"{new DateTime(2020, 1, 1).AddHours(1).AddMinutes(minute):yyyy-MM-dd HH:mm:ss},50");

        var run = (await RunAsync(WriteRows([.. Rows, .. later, "2020-01-01 00:26:00,50", "2020-01-01 00:07:00,50"]))).Succeeded();

        Assert.StartsWith("warning: 2 records came too late to count", run.ErrorLine, StringComparison.Ordinal);
        Assert.Equal([Line], await ReadAsync());
    }

    [Fact]
    public async Task A_malformed_row_fails_the_job_with_its_place_or_is_skipped_as_if_it_were_not_there()
    {
        var input = WriteRows([.. Rows[..2], "2020-01-01 00:07:00,hot", .. Rows[2..]]);

        (await RunAsync(input)).Failed(1, input, "line 4", "column 2");
        Assert.False(File.Exists(Output));

        var run = (await RunAsync(input, "--bad-records", "skip", "--fresh")).Succeeded();
        Assert.Contains("1 malformed row skipped", run.ErrorLine, StringComparison.Ordinal);
        Assert.Equal([Line], await ReadAsync());
        Assert.Contains("\"line\":4", Assert.Single(await File.ReadAllLinesAsync(Output + ".bad.jsonl", TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_and_the_last_moment_of_the_calendar_are_readings_like_others()
    {
        (await RunAsync(WriteRows("0001-01-01 00:00:00,50", "0001-01-01 00:00:01,68", "0001-01-01 00:00:02,104", "0001-01-01 00:00:03,104", "0001-01-01 00:00:04,104", "9999-12-31 23:59:59,50"))).Succeeded();

        Assert.Contains("\"riseStart\":\"0001-01-01T00:00:00Z\"", Assert.Single(await ReadAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_written_otherwise_are_the_same_and_others_are_refused_with_what_differs()
    {
        var input = WriteRows(Rows);
        (await RunAsync(input, "--rise", "2.5")).Succeeded();

        Assert.Contains("nothing was done", (await RunAsync(input, "--rise", "2.50", "--bound", "3.5e1", "--within", "60m")).Succeeded().Output, StringComparison.Ordinal);
        (await RunAsync(input, "--rise", "3")).Failed(1, "argument 'rise' was 2.5 and is 3", "--fresh");
        (await RunAsync(input, "--bound", "-1")).Failed(1, "argument 'bound' was 35 and is -1", "--fresh");
    }

    [Fact]
    public async Task Checkpoints_of_the_averages_are_refused()
    {
        var input = WriteRows(Rows);
        (await CommandRun.OverAsync(input, Output)).Succeeded();

        (await RunAsync(input)).Failed(1, "belongs to job 'average-sensor-readings'", "--checkpoints");
    }

    [Theory]
    [InlineData("rise", "0", "Argument 'rise' is '0': it must be above 0.")]
    [InlineData("rise", "much", "Argument 'rise' is 'much', which is no number.")]
    [InlineData("bound", "NaN", "Argument 'bound' is 'NaN', which is no number.")]
    [InlineData("within", "soon", "Argument 'within' is 'soon', which is no duration")]
    [InlineData("within", "0s", "Within(00:00:00) must be a whole number of milliseconds, 1 or more")]
    public void Wrong_arguments_are_refused_by_the_job_itself(string argument, string value, string saying)
    {
        var settings = Settings(KeyValuePair.Create(argument, value));

        var refused = Assert.Throws<JobRefusedException>(() => EmbeddedSilo.Ask(settings, static jobs => jobs.DescribeAsText(SensorAnomalies.JobName)));

        Assert.Contains(saying, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_silo_that_runs_a_job_knows_no_other() =>
        Assert.Equal([SensorAnomalies.JobName], EmbeddedSilo.Ask(Settings() with { Job = SensorAnomalies.JobName }, static jobs => jobs.Names));

    private static SiloSettings Settings(params KeyValuePair<string, string>[] arguments) =>
        new() { Start = new JobStart { Arguments = new JobArguments(arguments) }, Screen = Screen.Of(TextWriter.Null, TextWriter.Null) };

    private Task<CommandRun> RunAsync(IEnumerable<string> inputs, params string[] more) => CommandRun.OfJobAsync(SensorAnomalies.JobName, inputs, Output, more);

    private Task<CommandRun> RunAsync(string input, params string[] more) => RunAsync([input], more);

    private Task<string[]> ReadAsync() => File.ReadAllLinesAsync(Output, TestContext.Current.CancellationToken);

    private string WriteRows(params string[] rows)
    {
        File.WriteAllLines(_folder["sensor.csv"], ["timestamp,value", .. rows]);
        return _folder["sensor.csv"];
    }
}
