using System.Globalization;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Windows;

namespace OrleansStream.Silo.Jobs;

/// <summary>
/// Averages the readings of each sensor in tumbling windows of event time. With the argument <c>input</c> it reads CSV files and writes JSON lines to
/// <c>output</c>; without, it makes readings up from <c>started</c> on and prints the averages.
/// </summary>
/// <param name="console">Where averages are printed; the console when null.</param>
public sealed class AverageSensorReadings(TextWriter? console = null) : IStreamJob
{
    /// <summary>The job's name.</summary>
    public const string JobName = "average-sensor-readings";

    /// <summary>Names of the job's arguments.</summary>
    public static class Arguments
    {
        public const string Input = "input";
        public const string Output = "output";
        public const string Window = "window";
        public const string OutOfOrderness = "out-of-orderness";
        public const string BadRecords = "bad-records";
        public const string Started = "started";
    }

    /// <inheritdoc/>
    public void Define(JobGraph graph, JobArguments args)
    {
        var window = args.GetDuration(Arguments.Window, TimeSpan.FromHours(1));
        var files = args.GetAll(Arguments.Input);
        var skips = args.Get(Arguments.BadRecords) == "skip";
        var readings = graph.From("readings", files.Count > 0
            ? SensorFiles.Of(files, window, skips ? BadRecords.SideOutput : BadRecords.Fail)
            : GeneratedReadings.From(args.GetInteger(Arguments.Started) ?? 0));

        readings
            .WithTimestamps(static reading => reading.TimeMs, args.GetDuration(Arguments.OutOfOrderness, TimeSpan.FromHours(1)))
            .KeyBy(static reading => reading.Sensor)
            .Window(TumblingWindows.Of(window))
            .Aggregate("average", default(Mean), static (mean, reading) => mean.Add(reading.Celsius), static mean => mean)
            .Select(static result => new SensorAverage(
                result.Key, result.Window.StartTime.UtcDateTime, result.Window.EndTime.UtcDateTime, result.Value.Count, result.Value.Value))
            .To("averages", files.Count > 0 ? Files.JsonLinesOutput<SensorAverage>(args.Require(Arguments.Output)) : new ConsoleSink<SensorAverage>(Show, console));

        if (files.Count > 0 && skips) readings.SideOutput(Files.Bad).To("bad-records", Files.JsonLinesOutput<BadRecord>(BadRecordsOf(args.Require(Arguments.Output))));
    }

    /// <summary>Where malformed rows go when they are skipped.</summary>
    public static string BadRecordsOf(string output) => output + ".bad.jsonl";

    private static string Show(SensorAverage average) => string.Create(
        CultureInfo.InvariantCulture,
        $"{average.WindowStart:HH:mm:ss}–{average.WindowEnd:HH:mm:ss} UTC   {average.Sensor,-10} {average.AverageCelsius,6:F2} °C   of {average.Count:N0} readings");
}
