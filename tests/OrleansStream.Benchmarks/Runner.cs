using System.Diagnostics;

namespace OrleansStream.Benchmarks;

/// <summary>Runs the contenders of a workload in turn, so that what disturbs the machine disturbs all alike.</summary>
internal static class Runner
{
    public static async Task<Report> RunAsync(Workload workload, RunSettings settings, int runs, string command)
    {
        var measured = workload.Contenders.ToDictionary(static contender => contender, static _ => new List<Measurement>());
        var answers = new HashSet<long>();
        var remarks = new Dictionary<IContender, string>();
        for (var run = 0; run <= runs; run++)
        {
            foreach (var contender in workload.Contenders)
            {
                var (measurement, (answer, remark)) = await Measurement.OfAsync(() => contender.RunAsync(settings));
                answers.Add(answer);
                remarks[contender] = remark;
                Console.Error.WriteLine($"{(run == 0 ? "warm-up" : $"run {run}")}: {contender.Name}: {settings.Events / measurement.Time.TotalSeconds / 1e6:0.00} M/s {remark}");
                if (run > 0) measured[contender].Add(measurement);
            }
        }

        return new Report(workload, settings, command, measured, remarks, answers.Count == 1);
    }

    /// <summary>What an fsync of a small file takes here, in milliseconds, as a median: it stands behind every durable figure.</summary>
    public static double FsyncMilliseconds()
    {
        var file = Path.GetTempFileName();
        try
        {
            using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write);
            var times = new List<double>();
            var bytes = new byte[4096];
            for (var i = 0; i < 100; i++)
            {
                RandomAccess.Write(handle, bytes, i * bytes.Length);
                var began = Stopwatch.GetTimestamp();
                RandomAccess.FlushToDisk(handle);
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            return times.Order().ElementAt(times.Count / 2);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
