using System.Diagnostics;
using System.Reflection;
using System.Runtime;
using System.Runtime.InteropServices;

namespace OrleansStream.Benchmarks;

/// <summary>What the figures were measured on: a rate without its machine says nothing.</summary>
internal sealed record Machine(string Processor, int Cores, double MemoryGiB, string System, string Runtime, string Collector, string Commit, double FsyncMilliseconds)
{
    /// <summary>Looks at the machine; writes a small file into the folder that checkpoints go to.</summary>
    public static Machine Observe(RunSettings settings) => Observe(settings.TakesCheckpoints && settings.Storage is { } folder ? folder : Path.GetTempPath());

    /// <summary>Looks at the machine; writes a small file into a folder.</summary>
    public static Machine Observe(string folder) => new(
        ProcessorName(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        $"{(GCSettings.IsServerGC ? "server" : "workstation")}{(AppContext.TryGetSwitch("System.GC.Concurrent", out var concurrent) && !concurrent ? "" : ", concurrent")}",
        typeof(Jobs.JobStatus).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        FsyncMedian(folder));

    public override string ToString() => FormattableString.Invariant(
        $"{Processor}, {Cores} cores, {MemoryGiB:0.0} GiB; {System}; {Runtime}, {Collector} GC; build {Commit}; fsync p50 {FsyncMilliseconds:0.00} ms where checkpoints go");

    private static string ProcessorName()
    {
        const string File = "/proc/cpuinfo";
        const string Field = "model name";
        var line = global::System.IO.File.Exists(File) ? global::System.IO.File.ReadLines(File).FirstOrDefault(static line => line.StartsWith(Field, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    /// <summary>What an fsync of a small file takes, in milliseconds, as a median: it stands behind every durable figure.</summary>
    private static double FsyncMedian(string folder)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"fsync-{Environment.ProcessId}");
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
