using System.Globalization;
using System.Text;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>A file of readings that a test writes, and what a plain loop makes of it.</summary>
internal sealed class SensorFile
{
    public static readonly TimeSpan Disorder = TimeSpan.FromHours(1);

    private readonly List<(DateTime Time, double Fahrenheit)> _readings = [];

    private SensorFile(string path) => Path = path;

    public string Path { get; }

    public string Sensor => System.IO.Path.GetFileNameWithoutExtension(Path);

    public int Count => _readings.Count;

    /// <summary>Readings about five minutes apart, with gaps, out of order by less than <see cref="Disorder"/>, from before 1970 on when asked.</summary>
    public static SensorFile Write(string path, int seed, int count = 3_000, bool fromBefore1970 = false)
    {
        var file = new SensorFile(path);
        var random = new Random(seed);
        var at = fromBefore1970 ? new DateTime(1969, 12, 28, 0, 0, 0, DateTimeKind.Utc) : new DateTime(2013, 12, 2, 21, 15, 0, DateTimeKind.Utc);
        for (var i = 0; i < count; i++)
        {
            at = at.AddSeconds(random.Next(200) == 0 ? 40_000 : random.Next(600));
            var time = at.AddSeconds(-random.Next((int)Disorder.TotalSeconds));
            file._readings.Add((time, Math.Round(60 + random.NextDouble() * 50, 8)));
        }

        var text = new StringBuilder("timestamp,value\n");
        foreach (var (time, fahrenheit) in file._readings) text.Append(CultureInfo.InvariantCulture, $"{time:yyyy-MM-dd HH:mm:ss},{fahrenheit:R}\n");
        File.WriteAllText(path, text.ToString());
        return file;
    }

    /// <summary>The lines of output of the averages, in the order of windows.</summary>
    public IEnumerable<string> Averages(TimeSpan window)
    {
        var windows = new SortedDictionary<long, (double Sum, int Count)>();
        foreach (var (time, fahrenheit) in _readings)
        {
            var start = (long)Math.Floor((time - DateTime.UnixEpoch) / window);
            var (sum, count) = windows.GetValueOrDefault(start);
            windows[start] = (sum + (fahrenheit - 32) * 5 / 9, count + 1);
        }

        foreach (var (start, (sum, count)) in windows)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"sensor\":\"{Sensor}\",\"windowStart\":\"{DateTime.UnixEpoch + start * window:yyyy-MM-ddTHH:mm:ssZ}\",\"windowEnd\":\"{DateTime.UnixEpoch + (start + 1) * window:yyyy-MM-ddTHH:mm:ssZ}\",\"count\":{count},\"averageCelsius\":{sum / count:R}}}");
        }
    }

    /// <summary>The lines of output of the anomalies, in the order in which they began.</summary>
    public IEnumerable<string> Anomalies(double rise, double bound, TimeSpan within)
    {
        // Readings of one time stay in the order of the file.
        var readings = _readings.Select(static reading => (reading.Time, Celsius: (reading.Fahrenheit - 32) * 5 / 9)).OrderBy(static reading => reading.Time).ToList();
        for (var first = 0; first + 1 < readings.Count; first++)
        {
            var (start, before) = readings[first];
            var (end, after) = readings[first + 1];
            if (after - before < rise) continue;
            var high = new List<int>();
            for (var next = first + 2; next < readings.Count && readings[next].Time - start < within && high.Count < 3; next++)
            {
                if (readings[next].Celsius > bound) high.Add(next);
            }

            if (high.Count < 3) continue;
            var highLines = high.Select(at => string.Create(CultureInfo.InvariantCulture, $"{{\"time\":\"{readings[at].Time:yyyy-MM-ddTHH:mm:ssZ}\",\"celsius\":{readings[at].Celsius:R}}}"));
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"sensor\":\"{Sensor}\",\"riseStart\":\"{start:yyyy-MM-ddTHH:mm:ssZ}\",\"riseEnd\":\"{end:yyyy-MM-ddTHH:mm:ssZ}\",\"riseCelsius\":{after - before:R},\"high\":[{string.Join(',', highLines)}]}}");
            first = high[^1];
        }
    }
}
