using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Silo.Jobs;

/// <summary>Readings from CSV files with the columns <c>timestamp</c> and <c>value</c>, one sensor a file: its name is the file's without the ending.</summary>
internal static class SensorFiles
{
    /// <summary>Names of the arguments of every job over sensor files.</summary>
    public static class Arguments
    {
        public const string Input = "input";
        public const string Output = "output";
        public const string OutOfOrderness = "out-of-orderness";
        public const string BadRecords = "bad-records";
    }

    /// <summary>Whether a job is given files.</summary>
    public static bool AreGiven(JobArguments args) => args.GetAll(Arguments.Input).Count > 0;

    /// <summary>The files of a job's arguments.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="window">A row is refused whose window of this size would not be in the calendar; null for a job without windows.</param>
    public static Source<Reading> Of(JobArguments args, TimeSpan? window = null)
    {
        var paths = args.GetAll(Arguments.Input);
        Check(paths);
        return Files.Csv(paths, row => Read(row, window), new CsvOptions { BadRecords = Skips(args) ? BadRecords.SideOutput : BadRecords.Fail });
    }

    /// <summary>Writes malformed rows beside the output, when they are to be skipped.</summary>
    public static void KeepBadRecords(DataStream<Reading> readings, JobArguments args)
    {
        if (Skips(args)) readings.SideOutput(Files.Bad).To("bad-records", Files.JsonLinesOutput<BadRecord>(BadRecordsOf(args.Require(Arguments.Output))));
    }

    /// <summary>Where malformed rows go when they are skipped.</summary>
    public static string BadRecordsOf(string output) => output + ".bad.jsonl";

    private static bool Skips(JobArguments args) => args.Get(Arguments.BadRecords) == "skip";

    /// <summary>Two files of one sensor are refused: in which order their readings meet is chance, and with it the last digit of an average, or what rises and falls between two readings of one time.</summary>
    private static void Check(IReadOnlyList<string> paths)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var sensor = Path.GetFileNameWithoutExtension(path);
            if (sensor.Length == 0) throw new JobRefusedException($"The input '{path}' has no name but its ending, so its sensor would have none: rename the file.");
            if (!files.TryAdd(sensor, path) && Path.GetFullPath(files[sensor]) != Path.GetFullPath(path))
                throw new JobRefusedException($"The inputs '{files[sensor]}' and '{path}' are both of sensor '{sensor}', which is named by its file: rename one, or join them into one file.");
        }
    }

    private static Reading Read(CsvRow row, TimeSpan? window)
    {
        var time = row.GetDateTimeUtc("timestamp");
        if (window is { } size && FloorTicks(time, size) is var windowStart && (windowStart < 0 || windowStart > DateTime.MaxValue.Ticks - size.Ticks))
            throw new FormatException($"column 'timestamp' holds '{row.GetString("timestamp")}', whose window of {Durations.Show(size)} reaches beyond the years 1 to 9999");
        var fahrenheit = row.GetDouble("value");
        if (!double.IsFinite(Reading.ToCelsius(fahrenheit))) throw new FormatException($"column 'value' holds '{row.GetString("value")}', which is too large to convert to °C");
        return new Reading(row.FileNameWithoutExtension, new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeMilliseconds(), fahrenheit);
    }

    /// <summary>Where the window begins that a time falls into, in ticks of the calendar; below 0 when that is before the year 1.</summary>
    private static long FloorTicks(DateTime time, TimeSpan window)
    {
        var sinceEpoch = time.Ticks - DateTime.UnixEpoch.Ticks;
        var into = sinceEpoch % window.Ticks;
        return time.Ticks - (into < 0 ? into + window.Ticks : into);
    }
}
