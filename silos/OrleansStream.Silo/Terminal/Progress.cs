using System.Globalization;
using OrleansStream.Http;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.Terminal;

/// <summary>Shows how a job is doing until it ends: a line in place on a terminal, else a line every few seconds.</summary>
internal sealed class Progress(IStreamJobs jobs, string job, Screen screen, TimeProvider time)
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    /// <summary>The most characters of a split's name that a line has room for.</summary>
    private const int LongestName = 40;

    private string? _trouble;

    /// <summary>Waits for the job's end.</summary>
    /// <exception cref="JobRefusedException">Another process has taken the job over.</exception>
    public async Task<JobStatus> ShowUntilEndAsync(CancellationToken cancellation)
    {
        var ended = jobs.WaitForEndAsync(job, cancellation);
        var interval = screen.IsLive ? LiveInterval : LineInterval;
        var lastLine = time.GetTimestamp();
        try
        {
            while (true)
            {
                // Looked at often even when printed rarely: a job that was taken away is never reported as ended.
                await Task.WhenAny(ended, Task.Delay(LiveInterval, time, cancellation));
                if (ended.IsCompleted) return await ended;
                cancellation.ThrowIfCancellationRequested();
                var status = await jobs.GetStatusAsync(job);
                if (status is { Phase: JobPhase.Idle, Cause: { } cause }) throw new JobRefusedException($"{cause} This process does nothing more.");
                ShowTrouble(status);
                if (screen.IsLive) screen.ShowStatus(Line(status));
                else if (time.GetElapsedTime(lastLine) >= interval)
                {
                    screen.WriteLine(Line(status));
                    lastLine = time.GetTimestamp();
                }
            }
        }
        finally
        {
            screen.ShowStatus(null);
        }
    }

    /// <summary>One line of figures.</summary>
    public static string Line(JobStatus status)
    {
        var summary = JobSummary.Of(status);
        var checkpoint = summary.LastCheckpoint is { } last
            ? string.Create(CultureInfo.InvariantCulture, $"checkpoint {last.Id}, {Math.Max(0, (status.At - last.At).TotalSeconds):F0} s ago")
            : "no checkpoint yet";
        // Of a path its end says most.
        var heldBack = summary.HeldBackBy is { } by ? $", held back by {(by.Length > LongestName ? $"…{by[^LongestName..]}" : by)}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{summary.Phase}   {summary.RecordsPerSecond:N0} records/s   watermark {summary.WatermarkText}{heldBack}   {checkpoint}");
    }

    /// <summary>Says once why an attempt failed, or what the store complains of.</summary>
    private void ShowTrouble(JobStatus status)
    {
        var trouble = status.Phase == JobPhase.Waiting && status.Cause is { } cause ? $"attempt {status.Attempt} failed, the job will be tried again: {cause}" : status.StoreTrouble;
        if (trouble == _trouble) return;
        _trouble = trouble;
        if (trouble is not null) screen.WriteError($"warning: {OneLine.Of(trouble)}");
    }
}
