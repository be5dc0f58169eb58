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

    /// <summary>Names of the job's arguments, beside those of <see cref="SensorFiles.Arguments"/>.</summary>
    public static class Arguments
    {
        public const string Window = "window";
    }

    /// <inheritdoc/>
    public void Define(JobGraph graph, JobArguments args)
    {
        var window = args.GetDuration(Arguments.Window, TimeSpan.FromHours(1));
        var isOfFiles = SensorFiles.AreGiven(args);
        var readings = graph.From("readings", isOfFiles ? SensorFiles.Of(args, window) : GeneratedReadings.Of(args));

        readings
            .WithTimestamps(static reading => reading.TimeMs, args.GetDuration(SensorFiles.Arguments.OutOfOrderness, TimeSpan.FromHours(1)))
            .KeyBy(static reading => reading.Sensor)
            .Window(TumblingWindows.Of(window))
            .Aggregate("average", default(Mean), static (mean, reading) => mean.Add(reading.Celsius), static mean => mean)
            .Select(static result => new SensorAverage(
                result.Key, result.Window.StartTime.UtcDateTime, result.Window.EndTime.UtcDateTime, result.Value.Count, result.Value.Value))
            .To("averages", isOfFiles ? Files.JsonLinesOutput<SensorAverage>(args.Require(SensorFiles.Arguments.Output)) : new ConsoleSink<SensorAverage>(Show, console));

        if (isOfFiles) SensorFiles.KeepBadRecords(readings, args);
    }

    private static string Show(SensorAverage average) => string.Create(
        CultureInfo.InvariantCulture,
        $"{average.WindowStart:HH:mm:ss}–{average.WindowEnd:HH:mm:ss} UTC   {average.Sensor,-10} {average.AverageCelsius,6:F2} °C   of {average.Count:N0} readings");
}
