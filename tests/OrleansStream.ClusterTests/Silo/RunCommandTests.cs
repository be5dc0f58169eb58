using System.Net;
using System.Net.Sockets;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Runs;

namespace OrleansStream.ClusterTests.Silo;

public sealed class RunCommandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Output => _folder["out.jsonl"];

    private string Input => SensorFile.Write(_folder["sensor.csv"], seed: 1, count: 500).Path;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_finished_command_run_again_does_nothing_and_says_so()
    {
        var input = Input;
        (await CommandRun.OverAsync(input, Output)).Succeeded();
        var before = await ReadAsync(Output);
        var written = File.GetLastWriteTimeUtc(Output);

        var again = (await CommandRun.OverAsync(input, Output, "--window", "60m", "--parallelism", "3", "--rate", "5", "--checkpoint-interval", "50ms")).Succeeded();

        Assert.Contains("nothing was done", again.Output, StringComparison.Ordinal);
        Assert.Equal(before, await ReadAsync(Output));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Output));
    }

    [Fact]
    public async Task A_finished_command_whose_output_is_gone_says_so()
    {
        var input = Input;
        (await CommandRun.OverAsync(input, Output)).Succeeded();
        File.Delete(Output);

        (await CommandRun.OverAsync(input, Output)).Failed(1, "is not there any more", "--fresh");
    }

    [Fact]
    public async Task A_fresh_start_computes_everything_anew()
    {
        (await CommandRun.OverAsync(Input, Output)).Succeeded();
        var other = SensorFile.Write(_folder["sensor.csv"], seed: 2, count: 400);

        (await CommandRun.OverAsync(other.Path, Output, "--window", "5m", "--fresh")).Succeeded();

        Assert.Equal(other.Averages(TimeSpan.FromMinutes(5)), await File.ReadAllLinesAsync(Output, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_fresh_start_deletes_nothing_in_a_folder_that_is_not_its_own()
    {
        var input = Input;
        Directory.CreateDirectory(_folder["mine/jobs/average-sensor-readings"]);
        await File.WriteAllTextAsync(_folder["mine/letter.txt"], "dear", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Output, "old", TestContext.Current.CancellationToken);

        (await CommandRun.OverAsync(input, Output, "--fresh", "--checkpoints", _folder["mine"])).Failed(1, "letter.txt", "Nothing was deleted");

        Assert.True(Directory.Exists(_folder["mine/jobs/average-sensor-readings"]));
        Assert.Equal("old", await ReadAsync(Output));
    }

    [Fact]
    public async Task A_fresh_start_deletes_no_folder_of_parts_that_holds_something_else()
    {
        Directory.CreateDirectory(Output + ".parts");
        await File.WriteAllTextAsync(Output + ".parts/letter.txt", "dear", TestContext.Current.CancellationToken);

        (await CommandRun.OverAsync(Input, Output, "--fresh")).Failed(1, "letter.txt", "Nothing was deleted");

        Assert.Equal("dear", await ReadAsync(Output + ".parts/letter.txt"));
    }

    [Fact]
    public async Task Other_arguments_over_old_checkpoints_are_refused_with_what_differs()
    {
        var input = Input;
        (await CommandRun.OverAsync(input, Output)).Succeeded();

        (await CommandRun.OverAsync(input, Output, "--window", "2h")).Failed(1, "argument 'window' was 1h and is 2h", "--fresh");
    }

    [Fact]
    public async Task Changed_input_over_old_checkpoints_is_refused()
    {
        var input = Input;
        (await CommandRun.OverAsync(input, Output)).Succeeded();
        await File.AppendAllTextAsync(input, "2030-01-01 00:00:00,70\n", TestContext.Current.CancellationToken);

        (await CommandRun.OverAsync(input, Output)).Failed(1, $"input '{input}'", "has changed since it was read");
    }

    [Fact]
    public async Task A_checkpoint_folder_of_another_job_is_refused()
    {
        Directory.CreateDirectory(_folder["theirs/jobs/payments"]);

        (await CommandRun.OverAsync(Input, Output, "--checkpoints", _folder["theirs"])).Failed(1, "belongs to job 'payments'", "--checkpoints");
    }

    [Fact]
    public async Task Output_of_somebody_else_is_not_replaced()
    {
        await File.WriteAllTextAsync(Output, "theirs", TestContext.Current.CancellationToken);

        (await CommandRun.OverAsync(Input, Output)).Failed(1, "is there already", "--fresh");

        Assert.Equal("theirs", await ReadAsync(Output));
    }

    [Theory]
    [InlineData("2013-12-02 21:20:00,abc", "column 2")]
    [InlineData("yesterday,70", "column 1")]
    [InlineData("2013-12-02 21:20:00", "has 1 fields")]
    [InlineData("9999-12-31 23:30:00,70", "beyond the years 1 to 9999")]
    [InlineData("12013-12-02 21:20:00,70", "not a time")]
    [InlineData("2013-12-02 21:20:00,1e308", "too large")]
    public async Task A_malformed_row_fails_the_job_with_its_place(string row, string reason)
    {
        var input = WriteRows("2013-12-02 21:15:00,70", row, "2013-12-02 21:25:00,71");

        (await CommandRun.OverAsync(input, Output)).Failed(1, input, "line 3", reason);

        Assert.False(File.Exists(Output));
    }

    [Fact]
    public async Task Malformed_rows_that_are_skipped_are_counted_and_written_aside()
    {
        var input = WriteRows("2013-12-02 21:15:00,32", "2013-12-02 21:20:00,abc", "rubbish", "2013-12-02 21:25:00,50");

        var run = (await CommandRun.OverAsync(input, Output, "--bad-records", "skip")).Succeeded();

        Assert.Contains("2 malformed rows skipped", run.ErrorLine, StringComparison.Ordinal);
        Assert.Contains("\"count\":2,\"averageCelsius\":5}", await ReadAsync(Output), StringComparison.Ordinal);
        var bad = await File.ReadAllLinesAsync(Output + ".bad.jsonl", TestContext.Current.CancellationToken);
        Assert.Equal(2, bad.Length);
        Assert.Contains("\"line\":3", bad[0], StringComparison.Ordinal);
        Assert.Contains("\"text\":\"rubbish\"", bad[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_input_is_named_and_leaves_nothing_behind()
    {
        (await CommandRun.OverAsync(_folder["nowhere.csv"], Output)).Failed(1, "nowhere.csv", "does not exist");

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Two_files_of_one_sensor_are_refused()
    {
        Directory.CreateDirectory(_folder["other"]);
        var one = Input;
        var other = SensorFile.Write(_folder["other/sensor.csv"], seed: 3, count: 10).Path;

        (await CommandRun.OverAsync([one, other], Output)).Failed(1, "both of sensor 'sensor'", one, other);
    }

    [Fact]
    public async Task An_output_that_is_an_input_is_refused()
    {
        var input = Input;
        var before = await ReadAsync(input);

        (await CommandRun.OverAsync(input, input, "--fresh")).Failed(1, "would replace the input");

        Assert.Equal(before, await ReadAsync(input));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named()
    {
        // A file where a folder should be stops every user, the superuser too.
        await File.WriteAllTextAsync(_folder["file"], "", TestContext.Current.CancellationToken);
        var input = Input;

        (await CommandRun.OverAsync(input, Output, "--checkpoints", _folder["file/checkpoints"])).Failed(1, _folder["file/checkpoints"], "cannot be used");
        (await CommandRun.OverAsync(input, _folder["file/out.jsonl"], "--checkpoints", _folder["checkpoints"])).Failed(1, _folder["file/out.jsonl"], "cannot be written");
    }

    [Fact]
    public async Task A_folder_in_use_by_another_run_is_refused()
    {
        var input = Input;
        using (await RunFolder.OpenAsync(Output + ".checkpoints", AverageSensorReadings.JobName, TestContext.Current.CancellationToken))
        {
            (await CommandRun.OverAsync(input, Output)).Failed(1, "Another process is running");
        }

        (await CommandRun.OverAsync(input, Output)).Succeeded();
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_option_that_changes_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        (await CommandRun.OverAsync(Input, Output, "--http-port", $"{port}")).Failed(1, $"Port {port} is in use", "--http-port");
        (await CommandRun.OfAsync("--http-port", $"{port}")).Failed(1, $"Port {port} is in use", "--http-port");
    }

    [Theory]
    [InlineData("run average-sensor-readings --input a.csv --output o --windw 1h", "Did you mean '--window'?")]
    [InlineData("run averge-sensor-readings --input a.csv --output o", "Did you mean 'average-sensor-readings'?")]
    [InlineData("run something-else", "There are: average-sensor-readings, sensor-anomalies, allround.")]
    [InlineData("run", "needs the name of a job")]
    [InlineData("rnu", "Did you mean 'run'?")]
    [InlineData("--htp-port 8082", "Did you mean '--http-port'?")]
    [InlineData("run average-sensor-readings --input a.csv", "'--output' is required")]
    [InlineData("run average-sensor-readings --input a.csv --output o --window 3x", "'3x' is no duration")]
    [InlineData("run average-sensor-readings --input a.csv --output o --window 0s", "it must be 1ms or more")]
    [InlineData("run average-sensor-readings --input a.csv --output o --parallelism 0", "whole number from 1 to 128")]
    [InlineData("run average-sensor-readings --input a.csv --output o --rate -4", "above 0")]
    [InlineData("run average-sensor-readings --input a.csv --output o --rate fast", "'fast' is no number for --rate")]
    [InlineData("run average-sensor-readings --input a.csv --output o --bad-records drop", "fail or skip")]
    [InlineData("run average-sensor-readings --input a.csv --output o --http-port 70000", "whole number from 1 to 65535")]
    [InlineData("run average-sensor-readings --input a.csv --output o more", "'more' is one word too many")]
    [InlineData("run sensor-anomalys --input a.csv --output o", "Did you mean 'sensor-anomalies'?")]
    [InlineData("run sensor-anomalies --input a.csv --output o --rise 0", "--rise is '0': it must be above 0")]
    [InlineData("run sensor-anomalies --input a.csv --output o --rise 2,5", "'2,5' is no number for --rise")]
    [InlineData("run sensor-anomalies --input a.csv --output o --bound NaN", "'NaN' is no number for --bound")]
    [InlineData("run sensor-anomalies --input a.csv --output o --within 0s", "it must be 1ms or more")]
    [InlineData("run sensor-anomalies --input a.csv --output o --within soon", "'soon' is no duration for --within")]
    [InlineData("run sensor-anomalies --input a.csv --output o --window 1h", "There is no option '--window' of 'sensor-anomalies'")]
    public async Task A_wrong_command_line_is_told_in_one_line(string commandLine, string saying) =>
        (await CommandRun.OfAsync(commandLine.Split(' '))).Failed(2, saying);

    [Fact]
    public async Task Jobs_are_listed_and_described()
    {
        Assert.Equal(["allround", "average-sensor-readings", "sensor-anomalies"], (await CommandRun.OfAsync("jobs")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Contains("Window 'average'", (await CommandRun.OfAsync("describe", "average-sensor-readings")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("Match 'anomaly'", (await CommandRun.OfAsync("describe", "sensor-anomalies")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("\"operators\":[", (await CommandRun.OfAsync("describe", "average-sensor-readings", "--json")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("Process 'two-inputs'", (await CommandRun.OfAsync("describe", "allround")).Succeeded().Output, StringComparison.Ordinal);
        (await CommandRun.OfAsync("describe", "average-sensor-reading")).Failed(1, "Did you mean 'average-sensor-readings'?");
    }

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);

    private string WriteRows(params string[] rows)
    {
        File.WriteAllLines(_folder["sensor.csv"], ["timestamp,value", .. rows]);
        return _folder["sensor.csv"];
    }
}
