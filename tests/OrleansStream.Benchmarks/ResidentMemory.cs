using System.Globalization;

namespace OrleansStream.Benchmarks;

/// <summary>
/// The resident memory of this process. On Linux the kernel keeps the peak (<c>VmHWM</c>) and forgets it when 5 is written to <c>clear_refs</c>: exact, without a thread that samples.
/// Elsewhere, or where that is not allowed, the peak is that of the whole process, and <see cref="How"/> says so.
/// </summary>
internal static class ResidentMemory
{
    private const string Status = "/proc/self/status";
    private static bool _reset;

    public static long NowBytes => Read("VmRSS:") ?? Environment.WorkingSet;

    public static long PeakBytes => Read("VmHWM:") ?? System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64;

    public static string How => _reset ? "peak resident memory is of the run alone (VmHWM, reset before each run)" : "peak resident memory is of the whole process, for it could not be reset";

    public static void ResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            _reset = true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _reset = false;
        }
    }

    private static long? Read(string field)
    {
        if (!File.Exists(Status)) return null;
        foreach (var line in File.ReadLines(Status))
        {
            if (line.StartsWith(field, StringComparison.Ordinal)) return long.Parse(line.AsSpan(field.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
        }

        return null;
    }
}
